/**
 * Debian's kernel without one of its modules: doctor names that one, install refuses in the same words and
 * leaves nothing; what only forward-path needs is named where early takes its place; and what only the
 * self-test needs keeps nobody from anything.
 * @module
 */
import assert from "node:assert/strict";
import type { DoctorReport } from "../../src/cli/doctor/report.ts";
import type { DebianArchitecture } from "../../scripts/lib/debian.ts";
import { fetchKernel, findModules } from "./support/kernel.ts";
import { installedProduct, missingFile } from "./support/product.ts";
import { putPrograms } from "./support/programs.ts";
import { vmTest, type VmTestOptions } from "./support/scenario.ts";
import type { Tree } from "./support/tree.ts";
import type { Vm } from "./support/vm.ts";

/** All that an install with either backend asks for, and what only the self-test or nobody does. */
const MODULES = [
  ..."nf_tables nft_tproxy nft_socket nft_ct nft_fib_inet nft_reject_inet nft_compat".split(" "),
  ..."xt_TPROXY xt_socket xt_recent xt_CT xt_addrtype xt_mark xt_conntrack xt_connmark xt_multiport".split(
    " ",
  ),
  ..."xt_mac xt_comment xt_tcpudp ipt_REJECT ip6t_REJECT".split(" "),
  ..."iptable_raw iptable_mangle iptable_filter ip6table_raw ip6table_mangle ip6table_filter".split(" "),
  ..."nfnetlink_log nft_log nft_nat nft_chain_nat nf_conntrack_netlink veth crc32c_generic".split(" "),
];

const CONFIG = 'version: 1\nintercept: { interfaces: [lan0], on-failure: reset, ports: [80, "8000-8100"] }\n';
const CONFIGS = {
  netlink: CONFIG,
  nft: `${CONFIG}kernel: { backend: iptables }\n`,
  legacy: `${CONFIG}kernel: { backend: iptables }\n`,
};
type Backend = keyof typeof CONFIGS;

/**
 * A module that is left out, the backend that is tried, and what doctor names: symbol and OpenWrt's package.
 */
interface Case {
  readonly module: string;
  readonly backend: Backend;
  readonly symbol: string;
  readonly openWrt: string;
}

function left(module: string, symbol: string, openWrt: string, backend: Backend = "netlink"): Case {
  return { module, backend, symbol: `CONFIG_${symbol}`, openWrt };
}

const CASES: readonly Case[] = [
  left("nfnetlink", "NETFILTER_NETLINK", "kmod-nfnetlink"),
  left("nf_tables", "NF_TABLES", "kmod-nft-core"),
  left("nft_tproxy", "NFT_TPROXY", "kmod-nft-tproxy"),
  // nft_tproxy is there, and needs it.
  left("nf_tproxy_ipv6", "NF_TPROXY_IPV6", "kmod-nf-tproxy"),
  left("nft_socket", "NFT_SOCKET", "kmod-nft-socket"),
  left("nft_fib_inet", "NFT_FIB_INET", "kmod-nft-fib"),
  left("nft_ct", "NFT_CT", "kmod-nft-core"),
  left("nft_reject_inet", "NFT_REJECT_INET", "kmod-nft-core"),
  left("nf_conntrack", "NF_CONNTRACK", "kmod-nf-conntrack"),
  left("nft_compat", "NFT_COMPAT", "kmod-nft-compat", "nft"),
  left("xt_TPROXY", "NETFILTER_XT_TARGET_TPROXY", "kmod-ipt-tproxy", "nft"),
  left("xt_recent", "NETFILTER_XT_MATCH_RECENT", "kmod-ipt-conntrack-extra", "nft"),
  left("ip6_tables", "IP6_NF_IPTABLES", "kmod-nf-ipt6", "legacy"),
  left("ip6table_raw", "IP6_NF_RAW", "kmod-ipt-raw6", "legacy"),
];

const LOGGING =
  "the kernel lacks nfnetlink_log (CONFIG_NETFILTER_NETLINK_LOG) or nft_log (CONFIG_NFT_LOG); on OpenWrt: " +
  "kmod-nfnetlink-log";

/** Modules that forward-path alone needs, and what is said without them. */
const LACKS_OF_FORWARD_PATH: readonly { readonly module: string; readonly said: string }[] = [
  { module: "nfnetlink_log", said: LOGGING },
  { module: "nft_log", said: LOGGING },
  { module: "nft_nat", said: "the kernel lacks nft_nat (CONFIG_NFT_NAT); on OpenWrt: kmod-nft-nat" },
];

/** Modules and programs as on a Debian, and nothing loaded. */
function fillRoot(root: Tree, architecture: DebianArchitecture): void {
  const kernel = fetchKernel(architecture);
  const directory = `lib/modules/${kernel.release}`;
  for (const { name, path } of findModules(kernel, MODULES)) {
    root.file(`${directory}/kernel/${name}.ko`, path);
  }
  root.file(`${directory}/modules.builtin`, `${kernel.modules}/modules.builtin`);
  root.copy("", installedProduct(architecture));
  putPrograms(root, architecture, ["nft", "iptables"]);
  root.file("modules.sh", new URL("./support/guest/modules.sh", import.meta.url).pathname);
  for (const kind of ["nft", "legacy"]) {
    for (const word of ["tables", "tables-save", "tables-restore"]) {
      for (const family of ["ip", "ip6"]) {
        const name = `${family}${word.replace("tables", `tables-${kind}`)}`;
        root.link(`usr/sbin/${name}`, `xtables-${kind}-multi`);
      }
    }
  }
  for (const [name, text] of Object.entries(CONFIGS)) root.file(`etc/${name}.yaml`, { text });
}

const PREPARE = `
mkdir -p /sbin
ln -s /bin/modprobe /sbin/modprobe
depmod
ip link add lan0 type dummy
ip link add wan0 type dummy
ip address add 10.1.0.1/24 dev lan0
ip address add 192.0.2.1/24 dev wan0
ip link set lan0 up
ip link set wan0 up
ip route add default via 192.0.2.2
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
tproxy --version`;

/** Writes the shell lines that let the plain names of iptables stand for one kind. */
function chooseIptables(backend: Backend): string {
  if (backend === "netlink") return "";
  return ["iptables", "iptables-save", "iptables-restore"].flatMap((name) => [name, `ip6${name.slice(2)}`])
    .map((name) => `ln -sf xtables-${backend}-multi /usr/sbin/${name}`).join("\n");
}

interface Trial {
  readonly install: { readonly code: number; readonly said: string };
  readonly doctor: DoctorReport & { readonly code: number };
  readonly state: string;
}

/**
 * Leaves a module out, has doctor and install try, and puts it back. "-": all are there, and none is loaded.
 */
async function tryWithout(
  vm: Vm,
  module: string,
  { backend, before = "", after = "" }: { backend: Backend; before?: string; after?: string },
): Promise<Trial> {
  const script = `. /modules.sh
${chooseIptables(backend)}
without ${module}
${before}
try /etc/${backend}.yaml
${after}
restore ${module}`;
  const output = await vm.run(`without ${module}, ${backend} ${before}`, script, { seconds: 400 });
  const [codes, said, json] = output.split("---\n");
  return {
    install: { code: Number(/^install: (\d+)$/m.exec(codes)?.[1]), said },
    doctor: { ...JSON.parse(json), code: Number(/^doctor: (\d+)$/m.exec(codes)?.[1]) },
    state: codes.split("\n").slice(2).join("\n").trim(),
  };
}

async function expectNamed(vm: Vm, { module, backend, symbol, openWrt }: Case): Promise<void> {
  const { doctor, install, state } = await tryWithout(vm, module, { backend });
  const about = `without ${module}, ${backend}`;
  const blocking = doctor.findings.filter(({ blocks }) => blocks);
  // One cause, whatever stands on it.
  assert.equal(blocking.length, 1, `${about}: ${JSON.stringify(blocking)}`);
  const [{ state: found, cause, remedy, part }] = blocking;
  assert.deepEqual([found, doctor.ready, doctor.code], ["missing", false, 1], about);
  assert.equal(part?.module, module, about);
  assert.equal(part?.config, symbol, about);
  assert.ok(part?.openWrtPackage?.split(" ").includes(openWrt), `${about}: ${part?.openWrtPackage}`);
  assert.ok(cause.includes(`${module} (${symbol})`), `${about}: ${cause}`);
  assert.match(remedy, new RegExp(`modprobe ${module}.*; on OpenWrt install .*${openWrt}`), about);
  assert.equal(install.code, 1, `${about}: ${install.said}`);
  assert.ok(install.said.includes(`Cannot install: ${cause}. ${remedy}`), `${about}: ${install.said}`);
  assert.equal(state, "state: unchanged", about);
}

const MACHINE: VmTestOptions = {
  architecture: "amd64",
  modules: ["dummy"],
  minutes: 25,
  obstacle: missingFile(installedProduct("amd64")),
  fill: (root) => fillRoot(root, "amd64"),
};

vmTest("Debian's kernel, amd64: modules left out one at a time", MACHINE, async (vm) => {
  await vm.run("prepare", PREPARE);
  for (const each of CASES) await expectNamed(vm, each);
  assert.doesNotMatch(vm.console(), /BUG:|WARNING:|Oops|refcount/);
});

vmTest("Debian's kernel, amd64: without modules that not everything needs", MACHINE, async (vm) => {
  await vm.run("prepare", PREPARE);

  // Without these flows are taken early, which is said aloud.
  for (const { module, said } of LACKS_OF_FORWARD_PATH) {
    const { doctor, install } = await tryWithout(vm, module, {
      backend: "netlink",
      after: "tproxy uninstall >/tmp/gone",
    });
    const about = `without ${module}: ${install.said}`;
    assert.deepEqual([doctor.ready, doctor.code, install.code], [true, 0, 0], about);
    assert.match(install.said, /intercept\.admission: early is in force, since /, about);
    assert.ok(install.said.includes(`since ${said}`), about);
    const finding = doctor.findings.find(({ id }) => id === "admission");
    assert.equal(finding?.state, "warning", about);
    assert.ok(finding?.cause.includes(said), `${about}: ${finding?.cause}`);
  }
  const whole = await tryWithout(vm, "-", { backend: "netlink", after: "tproxy uninstall >/tmp/gone" });
  assert.deepEqual([whole.doctor.ready, whole.install.code], [true, 0], whole.install.said);
  assert.doesNotMatch(whole.install.said, /early/);

  // The self-test's own: no router needs it.
  const { doctor, install } = await tryWithout(vm, "veth", {
    backend: "netlink",
    after: "tproxy selftest >/tmp/selftest 2>&1; tproxy uninstall >/tmp/gone",
  });
  assert.deepEqual([doctor.ready, doctor.code, install.code], [true, 0, 0], install.said);
  const selftest = await vm.run("what the self-test said without veth", "cat /tmp/selftest");
  assert.match(
    selftest,
    /the self-test"\. .*lacks veth \(CONFIG_VETH\).*kmod-veth.*Only the self-test needs it/,
  );

  // All is installed and the kernel cannot load it: that is not called a lack.
  const program = await tryWithout(vm, "-", {
    backend: "netlink",
    before: "mv /sbin/modprobe /sbin/modprobe.away",
    after: "mv /sbin/modprobe.away /sbin/modprobe",
  });
  assert.match(program.install.said, /nf_tables \(CONFIG_NF_TABLES\) is not loaded; .*\(\/sbin\/modprobe\)/);
  assert.match(program.install.said, /"insmod [^"]*\/nfnetlink\.ko", .*"insmod [^"]*\/nf_tables\.ko"/);
  assert.equal(program.state, "state: unchanged");
  const withoutProc = await vm.try(
    "no /proc",
    "unshare -m sh -c 'mount -t tmpfs none /proc/sys; tproxy install' 2>&1",
  );
  assert.equal(withoutProc.code, 1);
  assert.match(withoutProc.output, /\/proc is not mounted/);
  // Nothing undoes it.
  const disabled = await tryWithout(vm, "-", {
    backend: "netlink",
    before: "sysctl -qw kernel.modules_disabled=1",
  });
  assert.match(disabled.install.said, /is not loaded; .*\(kernel\.modules_disabled = 1\)/);
  assert.equal(disabled.state, "state: unchanged");
  assert.doesNotMatch(vm.console(), /BUG:|WARNING:|Oops|refcount/);
});
