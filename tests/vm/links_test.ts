/**
 * Interfaces and parts of the kernel that the laboratory's kernel may lack: client and server see through the
 * proxy what they see without it, whatever the router's LAN and WAN are.
 * @module
 */
import assert from "node:assert/strict";
import { print } from "../laboratory/machine/print.ts";
import { browse, complaints, exchange, startProxy, stopProxy } from "./support/path.ts";
import { PRODUCT_MODULES, productFile, TPROXY } from "./support/product.ts";
import { putPrograms } from "./support/programs.ts";
import { vmTests } from "./support/scenario.ts";
import type { Vm } from "./support/vm.ts";

/** A way between client and server: `make_NAME` of guest/links.sh makes it. */
interface Kind {
  readonly name: string;
  /** The line of `install` that tells where it intercepts. */
  readonly interfaces: RegExp;
  readonly config?: string;
  /** Datagrams get lost on this way. */
  readonly lossy?: boolean;
  /** Sight after the traffic without tproxy that proves the way to be what it is called. */
  readonly proof?: string;
  /** Goes on with the proxy running, before it is ended. */
  readonly more?: (vm: Vm) => Promise<void>;
}

/** The answers without tproxy: the server sees the client, and all of it arrives. */
const BROWSED = "10.1.0.2\n192.0.2.2: whole\nfd01::2\n[2001:db8::2]: whole";

const KINDS: readonly Kind[] = [
  { name: "vlan", interfaces: /lan0\.10/ },
  { name: "wireguard", interfaces: /wg-lan/, proof: "wg show wg-lan transfer | awk '$3 == 0 { exit 1 }'" },
  { name: "ppp", interfaces: /ppp-lan \(not on: ppp-wan\)/ },
  { name: "bridge", interfaces: /br-lan/, more: withBridgeFilter },
  {
    name: "netem",
    interfaces: /lan0/,
    lossy: true,
    proof: "tc -s qdisc show dev lan0 | grep -E 'dropped [1-9]'",
  },
  { name: "flow_table", interfaces: /lan0/, proof: "offloaded" },
  {
    name: "policy_routing",
    interfaces: /lan0 \(not on: wan0\)/,
    config: "intercept: { interfaces: [lan0] }",
  },
];

vmTests(
  "interfaces and rules of others",
  {
    architecture: "amd64",
    modules: [
      ...PRODUCT_MODULES,
      ..."8021q wireguard ppp_async ppp_generic bridge sch_netem nft_flow_offload nf_flow_table_inet".split(
        " ",
      ),
    ],
    moduleFiles: ["br_netfilter"],
    files: { [TPROXY]: productFile("amd64") },
    fill: (root) => putPrograms(root, "amd64", ["ip", "nft", "nc", "wg", "pppd"]),
    minutes: 20,
  },
  Object.fromEntries(
    KINDS.map((kind) => [kind.name.replace("_", " "), (vm: Vm) => tryKind(vm, kind)]),
  ),
);

async function tryKind(vm: Vm, kind: Kind): Promise<void> {
  // The first of the machine's tests unpacks.
  await vm.run("version", "tproxy --version");
  const start = performance.now();
  const step = (name: string, script: string) =>
    vm.run(`${kind.name}: ${name}`, `. /run/vm/links.sh\n${script}`);
  await step("network", `make_${kind.name} && serve && { state; nft list ruleset; } >/tmp/before`);
  await vm.run("config", `echo '${kind.config ?? "{}"}' >/tmp/tproxy.yaml`);
  const without = await traffic(vm, kind);
  assert.ok(without.startsWith(BROWSED), without);
  if (kind.proof !== undefined) await step("proof", kind.proof);

  assert.match(await step("install", "tproxy install -c /tmp/tproxy.yaml"), kind.interfaces);
  await startProxy(vm, { arguments: "-c /tmp/tproxy.yaml" });
  await step("nothing is forwarded", "guard on");
  assert.equal(await traffic(vm, kind), without, `${kind.name}: not the same through the proxy`);
  await kind.more?.(vm);
  assert.match(await stopProxy(vm), /accepted=[4-8] connected=[4-8]/);

  await step("uninstall", "tproxy uninstall");
  const left = await step(
    "state",
    "guard off\n{ state; nft list ruleset; } >/tmp/after\ndiff /tmp/before /tmp/after || true",
  );
  assert.equal(left, "", `${kind.name}: the kernel's state is not what it was`);
  await step("take down", "take_down");
  assert.equal(await complaints(vm), "");
  print(`${kind.name}: the same through the proxy (${((performance.now() - start) / 1000).toFixed(0)} s)`);
}

async function traffic(vm: Vm, kind: Kind): Promise<string> {
  const web = await browse(vm, `${kind.name}: browse`);
  return kind.lossy === true ? web : `${web}\n${await exchange(vm, `${kind.name}: datagrams`)}`;
}

/** Tries again with bridge-nf-call-iptables, as beside Docker: a bridge's packets pass the hooks twice. */
async function withBridgeFilter(vm: Vm): Promise<void> {
  await vm.run(
    "br_netfilter",
    "insmod /lib/modules/br_netfilter.ko && sysctl net.bridge.bridge-nf-call-iptables",
  );
  assert.equal(await browse(vm, "bridge: browse with br_netfilter"), BROWSED);
  assert.match(
    await exchange(vm, "bridge: datagrams with br_netfilter"),
    /answer\n.*10\.1\.0\.2[^]*answer\n.*fd01::2/,
  );
  await vm.run("without br_netfilter", "rmmod br_netfilter");
}
