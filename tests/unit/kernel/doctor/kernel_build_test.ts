import assert from "node:assert/strict";
import { explainMissing, readKernelBuild } from "../../../../src/kernel/doctor/kernel_build.ts";
import { memoryFiles } from "./machine.ts";

const RELEASE = "6.6.73";
const CONFIG = "CONFIG_NFT_SOCKET=m\n# CONFIG_NFT_TPROXY is not set\nCONFIG_NFT_CT=y\n";

async function gzip(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return await new Response(stream).bytes();
}

async function explain(
  module: "nft_tproxy" | "nft_socket" | "nft_ct",
  files: Parameters<typeof memoryFiles>[0],
) {
  return explainMissing(module, await readKernelBuild(memoryFiles(files), RELEASE));
}

Deno.test("explainMissing() tells what is not compiled in from what is not installed, by /proc/config.gz", async () => {
  const files = { "/proc/config.gz": await gzip(CONFIG) };
  const tproxy = await explain("nft_tproxy", files);
  assert.match(tproxy.cause, /^CONFIG_NFT_TPROXY is not set \(\/proc\/config\.gz\): it is not compiled into/);
  assert.match(tproxy.remedy, /kernel with CONFIG_NFT_TPROXY; on OpenWrt install kmod-nft-tproxy$/);
  const socket = await explain("nft_socket", files);
  assert.match(socket.cause, /^CONFIG_NFT_SOCKET=m .*\/lib\/modules\/6\.6\.73 has no module nft_socket$/);
  assert.match(socket.remedy, /"modprobe nft_socket"; on OpenWrt install kmod-nft-socket/);
  assert.match((await explain("nft_ct", files)).cause, /CONFIG_NFT_CT=y .*refuses it all the same/);
});

Deno.test("explainMissing() takes what a configuration does not name for not compiled in", async () => {
  const { cause } = await explain("nft_tproxy", { [`/boot/config-${RELEASE}`]: "CONFIG_NFT_CT=y\n" });
  assert.match(cause, /not set \(\/boot\/config-6\.6\.73\)/);
});

Deno.test("explainMissing() finds a module that is there and not loaded, listed or as on OpenWrt", async () => {
  const directory = `/lib/modules/${RELEASE}`;
  const places = {
    debian: {
      [`${directory}/modules.dep`]: "kernel/net/netfilter/nft_tproxy.ko.xz: kernel/net/netfilter/x.ko.xz\n",
      "/proc/config.gz": await gzip(CONFIG),
    },
    openwrt: { [`${directory}/nft_tproxy.ko`]: "" },
  };
  for (const [name, files] of Object.entries(places)) {
    const { cause, remedy } = await explain("nft_tproxy", files);
    assert.match(
      cause,
      /its module is there \(\/lib\/modules\/6\.6\.73\/.*nft_tproxy\.ko.*does not load/,
      name,
    );
    assert.match(remedy, /^Try "modprobe nft_tproxy"/, name);
  }
  const other = await explain("nft_socket", places.debian);
  assert.doesNotMatch(other.cause, /module is there/);
});

Deno.test("explainMissing() names symbol, module and package where the machine tells nothing", async () => {
  assert.deepEqual(await explain("nft_tproxy", {}), {
    cause: "This kernel lacks nft_tproxy (CONFIG_NFT_TPROXY)",
    remedy: 'Try "modprobe nft_tproxy"; on OpenWrt install kmod-nft-tproxy',
  });
  const cut = (await gzip(CONFIG)).slice(0, 12);
  assert.match((await explain("nft_tproxy", { "/proc/config.gz": cut })).cause, /^This kernel lacks/);
});
