/** Reasons why a part of the kernel is missing, read from the machine's files. */
import assert from "node:assert/strict";
import { explainMissing } from "../../../../src/doctor/parts/explain.ts";
import { readKernelBuild } from "../../../../src/doctor/parts/kernel_build.ts";
import { memoryFiles } from "../support/machine.ts";

const RELEASE = "6.6.73";
const MODULES = `/lib/modules/${RELEASE}`;
const CONFIG =
  "CONFIG_NFT_SOCKET=m\n# CONFIG_NFT_TPROXY is not set\nCONFIG_NFT_CT=y\nCONFIG_NF_CONNTRACK=m\n";
const LOADER = { "/sbin/modprobe": "" };
/** A Debian with nft_tproxy and all that it needs. */
const DEBIAN = {
  ...LOADER,
  [`${MODULES}/modules.dep`]:
    "kernel/net/nft_tproxy.ko.xz: kernel/net/nf_tproxy_ipv6.ko.xz kernel/net/nf_tables.ko.xz\n" +
    "kernel/net/nf_tproxy_ipv6.ko.xz:\nkernel/net/nf_tables.ko.xz:\n",
  [`${MODULES}/kernel/net/nft_tproxy.ko.xz`]: "",
  [`${MODULES}/kernel/net/nf_tproxy_ipv6.ko.xz`]: "",
  [`${MODULES}/kernel/net/nf_tables.ko.xz`]: "",
};
const NFT_TPROXY = {
  module: "nft_tproxy",
  config: "CONFIG_NFT_TPROXY",
  openWrtPackage: "kmod-nft-tproxy",
};

type Files = Parameters<typeof memoryFiles>[0];

async function gzip(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return await new Response(stream).bytes();
}

async function explain(module: string, files: Files) {
  return explainMissing(module, await readKernelBuild(memoryFiles(files), RELEASE));
}

function without(files: Files, name: string): Files {
  return Object.fromEntries(Object.entries(files).filter(([path]) => !path.includes(`/${name}`)));
}

Deno.test("explainMissing() tells what is not compiled in from what is not installed, by /proc/config.gz", async () => {
  const files = { "/proc/config.gz": await gzip(CONFIG) };
  const tproxy = await explain("nft_tproxy", files);
  assert.match(
    tproxy.cause,
    /^This kernel lacks nft_tproxy \(CONFIG_NFT_TPROXY\): it is not set in \/proc\/config\.gz/,
  );
  assert.match(tproxy.remedy, /kernel with CONFIG_NFT_TPROXY; on OpenWrt install kmod-nft-tproxy$/);
  const socket = await explain("nft_socket", files);
  assert.match(
    socket.cause,
    /lacks nft_socket \(CONFIG_NFT_SOCKET\): it is a module .*6\.6\.73 does not have/,
  );
  assert.match(socket.remedy, /"modprobe nft_socket"; on OpenWrt install kmod-nft-socket/);
  assert.match((await explain("nft_ct", files)).cause, /CONFIG_NFT_CT.* as compiled in/);
});

Deno.test("explainMissing() takes what a configuration does not name for not compiled in", async () => {
  const { cause } = await explain("nft_tproxy", { [`/boot/config-${RELEASE}`]: "CONFIG_NFT_CT=y\n" });
  assert.match(cause, /not set in \/boot\/config-6\.6\.73/);
});

Deno.test("explainMissing() finds a module that is there and not loaded, listed or as on OpenWrt", async () => {
  const openWrt = { ...LOADER, [`${MODULES}/nft_tproxy.ko`]: "" };
  for (const [name, files] of Object.entries({ DEBIAN, openWrt })) {
    const { cause, remedy, part } = await explain("nft_tproxy", files);
    assert.match(
      cause,
      /^nft_tproxy \(CONFIG_NFT_TPROXY\) is not loaded; .*nft_tproxy\.ko.* does not load/,
      name,
    );
    assert.match(remedy, /^Try "modprobe nft_tproxy": it says why/, name);
    assert.deepEqual(part, NFT_TPROXY);
  }
  assert.match((await explain("nft_socket", DEBIAN)).cause, /^This kernel lacks nft_socket/);
});

Deno.test("explainMissing() does not believe a list of modules whose files have gone", async () => {
  const { cause, part } = await explain("nft_tproxy", without(DEBIAN, "nft_tproxy.ko.xz"));
  assert.match(cause, /^This kernel lacks nft_tproxy/);
  assert.deepEqual(part, NFT_TPROXY);
});

Deno.test("explainMissing() names the module at the bottom: that which another one needs", async () => {
  const { cause, remedy, part } = await explain("nft_tproxy", without(DEBIAN, "nf_tproxy_ipv6"));
  assert.equal(cause, "This kernel lacks nf_tproxy_ipv6 (CONFIG_NF_TPROXY_IPV6); nft_tproxy needs it");
  assert.match(remedy, /"modprobe nf_tproxy_ipv6"; on OpenWrt install kmod-nf-tproxy$/);
  assert.equal(part.module, "nf_tproxy_ipv6");
  const loaded = {
    ...without(DEBIAN, "nf_tproxy_ipv6"),
    "/proc/modules": "nf_tproxy_ipv6 16384 0 - Live 0x0\n",
  };
  assert.match((await explain("nft_tproxy", loaded)).cause, /^nft_tproxy .* is not loaded/);
  const unknown = {
    ...LOADER,
    [`${MODULES}/modules.dep`]: "a/nf_tables.ko: a/of_a_vendor.ko\n",
    [`${MODULES}/a/nf_tables.ko`]: "",
  };
  assert.deepEqual(await explain("nf_tables", unknown), {
    part: { module: "of_a_vendor" },
    cause: "This kernel lacks of_a_vendor; nf_tables needs it",
    remedy: 'Try "modprobe of_a_vendor"',
  });
});

Deno.test("explainMissing() asks the module itself what it needs, where there is no list", async () => {
  const files = {
    ...LOADER,
    [`${MODULES}/nft_ct.ko`]: "\x7fELF\0license=GPL\0depends=nf_conntrack,nf_tables\0name=nft_ct\0",
    [`${MODULES}/nf_tables.ko`]: "\x7fELF\0depends=nfnetlink\0",
    [`${MODULES}/nfnetlink.ko`]: "\x7fELF\0depends=\0",
  };
  assert.equal((await explain("nft_ct", files)).part.module, "nf_conntrack");
  const deeper = {
    ...without(files, "nfnetlink.ko"),
    "/proc/modules": "nf_conntrack 1 0 - Live 0x0\n",
  };
  assert.equal((await explain("nft_ct", deeper)).part.module, "nfnetlink");
});

Deno.test("explainMissing() tells what keeps the kernel from loading what is there", async () => {
  const cases: readonly (readonly [Files, RegExp, RegExp])[] = [
    [
      { "/proc/sys/kernel/modules_disabled": "1\n" },
      /no modules any more \(kernel\.modules_disabled = 1\)/,
      /at boot before that is set: .*modules-load\.d.*modules\.d.*restart/,
    ],
    [
      { "/proc/sys/kernel/modprobe": "\n" },
      /by itself \(kernel\.modprobe is empty\)/,
      /insmod [^"]*nf_tables[^"]*", "insmod [^"]*nf_tproxy_ipv6[^"]*", "insmod [^"]*nft_tproxy/,
    ],
    [
      { "/proc/sys/kernel/modprobe": "/opt/modprobe\n" },
      /the program that the kernel calls to load it is not \(\/opt\/modprobe\)/,
      /insmod/,
    ],
    [
      { "/etc/modprobe.d/a.conf": "# x\nblacklist nft-tproxy\n" },
      /may not be loaded \(\/etc\/modprobe\.d\/a\.conf: blacklist nft-tproxy\)/,
      /Remove that line/,
    ],
    [
      { "/etc/modprobe.d/a.conf": "install nf_tables /bin/false\n" },
      /may not be loaded \(.*install nf_tables/,
      /Remove that line/,
    ],
    [{ "/etc/modprobe.d/a.conf": "install nf_tables /sbin/modprobe x\n" }, /does not load it$/, /modprobe/],
  ];
  for (const [files, cause, remedy] of cases) {
    const explanation = await explain("nft_tproxy", { ...DEBIAN, ...files });
    assert.match(explanation.cause, cause);
    assert.match(explanation.remedy, remedy);
  }
  const unlisted = { ...LOADER, [`${MODULES}/modules.dep`]: "", [`${MODULES}/nft_tproxy.ko`]: "" };
  assert.match((await explain("nft_tproxy", unlisted)).remedy, /^Run "depmod -a"/);
});

Deno.test("explainMissing() sees a kernel that was updated since it started, and a container", async () => {
  const updated = await explain("nft_tproxy", { "/lib/modules/6.6.99/modules.dep": "" });
  assert.match(updated.cause, /none of its modules are installed .*but those of 6\.6\.99$/);
  assert.match(updated.remedy, /restart this machine/);
  const container = await explain("nft_tproxy", { "/.dockerenv": "" });
  assert.match(
    container.cause,
    /^The kernel of this container's host lacks nft_tproxy \(CONFIG_NFT_TPROXY\)/,
  );
  assert.match(container.remedy, /^On the host, try "modprobe nft_tproxy"/);
});

Deno.test("explainMissing() tells a module that is loaded and refuses all the same", async () => {
  const inet = await explain("nf_tables", { "/proc/modules": "nf_tables 303104 0 - Live 0x0\n" });
  assert.match(inet.cause, /CONFIG_NF_TABLES_INET/);
  assert.deepEqual(inet.part, { config: "CONFIG_NF_TABLES_INET" });
  assert.match(
    (await explain("nft_ct", { "/proc/modules": "nft_ct 1 0\n" })).cause,
    /is loaded, and .*refuses/,
  );
});

Deno.test("explainMissing() names symbol, module and package where the machine tells nothing", async () => {
  assert.deepEqual(await explain("nft_tproxy", {}), {
    part: NFT_TPROXY,
    cause: "This kernel lacks nft_tproxy (CONFIG_NFT_TPROXY)",
    remedy: 'Try "modprobe nft_tproxy"; on OpenWrt install kmod-nft-tproxy',
  });
  const cut = (await gzip(CONFIG)).slice(0, 12);
  assert.match((await explain("nft_tproxy", { "/proc/config.gz": cut })).cause, /^This kernel lacks/);
});
