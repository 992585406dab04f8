/** The probes against kernels that lack one thing each, and what is said of it. */
import assert from "node:assert/strict";
import type { Config } from "../../../../src/config/types.ts";
import type { Finding } from "../../../../src/doctor/finding.ts";
import { judgeProbes } from "../../../../src/doctor/probes/judge_probes.ts";
import type { KernelBuild } from "../../../../src/doctor/parts/kernel_build.ts";
import { probeKernel } from "../../../../src/doctor/probes/probe_kernel.ts";
import { listXtablesNeeds, XTABLES_PARTS } from "../../../../src/doctor/probes/xtables_parts.ts";
import { KERNEL_PARTS, type KernelModule } from "../../../../src/kernel/parts.ts";
import { planInstall } from "../../../../src/kernel/plan/plan.ts";
import { compileTable } from "../../../../src/kernel/nft/chains.ts";
import type { NetlinkMessage } from "../../../../src/netlink/message.ts";
import { configWith, ROUTER } from "../../kernel/support/view.ts";
import { fakeMachine, type Lacks } from "../support/fake_kernel.ts";
import { troubles } from "../support/machine.ts";

const UNKNOWN_BUILD: KernelBuild = {
  config: undefined,
  configPath: "/boot/config",
  modulesPath: "/lib/modules/6.1",
  otherModules: [],
  modules: { paths: new Map(), needs: new Map(), unlisted: new Set(), builtIn: new Set() },
  loading: {
    loaded: new Set(),
    disabled: false,
    program: "/sbin/modprobe",
    programFound: true,
    forbidden: new Map(),
    container: false,
  },
};
const FAMILIES = ["ipv4", "ipv6"] as const;
const XTABLES = { ipv4: ["socket"], ipv6: ["socket"] } as const;

function diagnoseKernel(
  lacks: Lacks,
  config: Config = configWith(),
  variant: "nf_tables" | "legacy" | undefined = undefined,
  build = UNKNOWN_BUILD,
): Finding[] {
  const plan = planInstall(config, ROUTER);
  const xtables = listXtablesNeeds(config, plan);
  const order = { families: FAMILIES, table: compileTable(plan), own: true, xtables };
  const results = probeKernel(order, fakeMachine(lacks).tools);
  return judgeProbes({
    results,
    config,
    families: FAMILIES,
    build,
    xtables,
    table: compileTable(plan),
    ...(variant === undefined ? {} : { variant }),
  });
}

const NFT_NEEDED = [
  "nf-tables",
  "nft-socket",
  "nft-tproxy-ipv4",
  "nft-tproxy-ipv6",
  "nft-fib",
  "nft-notrack",
];
/** Parts that do not work for want of nf_tables alone. */
const NFT_PARTS = [...NFT_NEEDED.slice(1), "nft-reject"];
const XT = ["xt-socket-ipv4", "xt-tproxy-ipv4", "xt-socket-ipv6", "xt-tproxy-ipv6"];
const EACH = (prefix: string) => [`! missing ${prefix}-ipv4`, `! missing ${prefix}-ipv6`];

/** Lacks of a kernel, doctor's findings on them, and words of those. */
const CASES: readonly {
  readonly lacks: Lacks;
  readonly expected: readonly string[];
  readonly words?: readonly string[];
}[] = [
  { lacks: {}, expected: [] },
  {
    lacks: { expression: "tproxy" },
    expected: ["! missing nft-tproxy-ipv4 (nft-tproxy-ipv6)"],
    words: ["CONFIG_NFT_TPROXY", "modprobe nft_tproxy", "kmod-nft-tproxy", "ENOENT"],
  },
  {
    lacks: { expression: "socket" },
    expected: ["! missing nft-socket"],
    words: ["CONFIG_NFT_SOCKET", "modprobe nft_socket", "kmod-nft-socket"],
  },
  {
    lacks: { expression: "fib" },
    expected: ["! missing nft-fib"],
    words: ["CONFIG_NFT_FIB_INET", "modprobe nft_fib_inet", "kmod-nft-fib"],
  },
  { lacks: { expression: "notrack" }, expected: ["! missing nft-notrack"], words: ["CONFIG_NFT_CT"] },
  // on-failure is open: not needed
  { lacks: { expression: "reject" }, expected: ["missing nft-reject"], words: ["CONFIG_NFT_REJECT_INET"] },
  {
    // EINVAL: no nf_tables
    lacks: { batch: 22 },
    expected: [`! missing nf-tables (${NFT_PARTS.join(" ")})`],
    words: ["CONFIG_NF_TABLES", "modprobe nf_tables", "kmod-nft-core", "EINVAL"],
  },
  {
    // EPROTONOSUPPORT: no nfnetlink. iptables-legacy does not need it.
    lacks: { netfilter: 93 },
    expected: [`! missing nf-tables (${NFT_PARTS.join(" ")})`],
    words: ["CONFIG_NF_TABLES", "EPROTONOSUPPORT"],
  },
  {
    lacks: { compat: 2, legacy: 2 },
    expected: ["missing xt-socket-ipv4 (xt-socket-ipv6)", "missing xt-tproxy-ipv4 (xt-tproxy-ipv6)"],
    words: ["CONFIG_NETFILTER_XT_MATCH_SOCKET", "kmod-ipt-socket iptables-mod-socket"],
  },
  { lacks: { compat: 2, legacy: 0 }, expected: [] },
  { lacks: { compat: 0, legacy: 92 }, expected: [] },
  {
    // EINVAL and ENOPROTOOPT: neither way to xtables is there
    lacks: { compat: 22, legacy: 92 },
    expected: ["missing xt-socket-ipv4 (xt-tproxy-ipv4 xt-socket-ipv6 xt-tproxy-ipv6)"],
    words: ["CONFIG_NFT_COMPAT", "ip_tables is not loaded"],
  },
  {
    // EAFNOSUPPORT
    lacks: { rule: { ipv4: 97, ipv6: 97 } },
    expected: EACH("policy-routing"),
    words: ["CONFIG_IP_MULTIPLE_TABLES"],
  },
  {
    lacks: { rule: { ipv6: 97 } },
    expected: ["! missing policy-routing-ipv6"],
    words: ["CONFIG_IPV6_MULTIPLE"],
  },
  {
    // ENETDOWN
    lacks: { route: 100 },
    expected: ["! warning policy-routing-ipv4", "! warning policy-routing-ipv6"],
    words: ["ip link set lo up"],
  },
  {
    lacks: { routeType: "unicast" },
    expected: ["! warning policy-routing-ipv4", "! warning policy-routing-ipv6"],
    words: ["does not follow the rule", "type unicast"],
  },
  {
    lacks: { transparent: { ipv4: 92 } },
    expected: ["! missing ip-transparent-ipv4"],
    words: ["ENOPROTOOPT"],
  },
  {
    lacks: { transparent: { ipv6: 97 } },
    expected: ["! missing ip-transparent-ipv6"],
    words: ["CONFIG_IPV6"],
  },
  {
    lacks: { transparent: { ipv4: 1 } },
    expected: ["! not permitted ip-transparent-ipv4"],
    words: ["EPERM"],
  },
  {
    lacks: { rule: { ipv4: 1, ipv6: 1 } },
    expected: ["! not permitted policy-routing-ipv4", "! not permitted policy-routing-ipv6"],
    words: ["Run doctor as root"],
  },
  {
    lacks: { batch: 1, compat: 1, legacy: 1 },
    expected: [
      ...NFT_NEEDED.map((id) => `! not permitted ${id}`),
      "not permitted nft-reject",
      ...XT.map((id) => `not permitted ${id}`),
    ].toSorted(),
    words: ["EPERM (Operation not permitted)"],
  },
];

for (const { lacks, expected, words = [] } of CASES) {
  Deno.test(`judgeProbes() on a kernel that lacks ${JSON.stringify(lacks)}`, () => {
    const findings = diagnoseKernel(lacks);
    assert.deepEqual(troubles(findings).toSorted(), expected.toSorted());
    const wrong = findings.filter(({ state }) => state !== "works");
    const said = wrong.map(({ what, cause, remedy }) => `${what}\n${cause}\n${remedy}`).join("\n");
    for (const word of words) assert.ok(said.includes(word), `"${word}" is not in:\n${said}`);
  });
}

Deno.test("judgeProbes() needs what the config needs", () => {
  const reset = configWith({ onFailure: "reset" });
  assert.deepEqual(troubles(diagnoseKernel({ expression: "reject" }, reset)), ["! missing nft-reject"]);
  const iptables = configWith({}, { backend: "iptables" });
  const none = troubles(diagnoseKernel({ compat: 2, legacy: 2 }, iptables));
  for (const id of ["socket", "tproxy"]) {
    assert.ok(none.includes(`! missing xt-${id}-ipv4 (xt-${id}-ipv6)`), none.join());
  }
  assert.deepEqual(troubles(diagnoseKernel({ expression: "fib" }, iptables)), ["missing nft-fib"]);
});

/** A match or target that rules use, as the kernel has it, and what is said when it is missing. */
const EXTENSIONS = [
  ["socket", "xt-socket", "CONFIG_NETFILTER_XT_MATCH_SOCKET", "kmod-ipt-socket"],
  ["TPROXY", "xt-tproxy", "CONFIG_NETFILTER_XT_TARGET_TPROXY", "modprobe xt_TPROXY"],
  ["recent", "xt-recent", "CONFIG_NETFILTER_XT_MATCH_RECENT", "iptables-mod-conntrack-extra"],
  ["CT", "xt-notrack", "CONFIG_NETFILTER_XT_TARGET_CT", "kmod-ipt-conntrack"],
  ["addrtype", "xt-addrtype", "CONFIG_NETFILTER_XT_MATCH_ADDRTYPE", "iptables-mod-extra"],
  ["MARK", "xt-set-mark", "CONFIG_NETFILTER_XT_MARK", "modprobe xt_mark"],
  ["conntrack", "xt-conntrack", "CONFIG_NETFILTER_XT_MATCH_CONNTRACK", "kmod-ipt-conntrack"],
  ["multiport", "xt-multiport", "CONFIG_NETFILTER_XT_MATCH_MULTIPORT", "modprobe xt_multiport"],
  ["REJECT", "xt-reject", "CONFIG_IP_NF_TARGET_REJECT", "CONFIG_IP6_NF_TARGET_REJECT"],
] as const;

Deno.test("judgeProbes() tells each match and target of iptables that its rules need and the kernel lacks", () => {
  const intercept = { protocols: ["tcp", "udp"] as const, ports: [{ first: 80, last: 90 }] };
  const config = configWith({ ...intercept, onFailure: "reset" }, { backend: "iptables" });
  for (const variant of ["nf_tables", "legacy"] as const) {
    assert.deepEqual(troubles(diagnoseKernel({}, config, variant)), []);
    for (const [extension, id, ...words] of EXTENSIONS) {
      const findings = diagnoseKernel({ extension }, config, variant);
      // In IPv6 it is the same module, but for REJECT.
      const expected = id === "xt-reject" ? EACH(id) : [`! missing ${id}-ipv4 (${id}-ipv6)`];
      assert.deepEqual(troubles(findings), expected, extension);
      const said = findings.map(({ cause, remedy }) => `${cause} ${remedy}`).join("\n");
      for (const word of words) assert.ok(said.includes(word), `"${word}" is not in:\n${said}`);
    }
  }
  // Only what rules of this config use is tried.
  assert.deepEqual(troubles(diagnoseKernel({ extension: "recent" })), []);
  assert.deepEqual(
    troubles(diagnoseKernel({ extension: "REJECT" }, configWith({}, { backend: "iptables" }))),
    [],
  );
});

Deno.test("judgeProbes() counts only the kind of iptables that an install would use", () => {
  const config = configWith({}, { backend: "iptables" });
  assert.deepEqual(troubles(diagnoseKernel({ legacy: 92 }, config, "nf_tables")), []);
  const findings = diagnoseKernel({ legacy: 92 }, config, "legacy");
  // One cause for each family: its tables are not there at all.
  assert.deepEqual(
    findings.filter(({ state }) => state === "missing").map(({ id, part }) => [id, part?.module]),
    [["xt-socket-ipv4", "ip_tables"], ["xt-socket-ipv6", "ip6_tables"]],
  );
  const compat = diagnoseKernel({ compat: 22 }, config, "nf_tables");
  assert.match(compat.find(({ id }) => id === "xt-socket-ipv4")!.cause, /CONFIG_NFT_COMPAT/);
  assert.ok(
    troubles(diagnoseKernel({ compat: 1 }, config, "nf_tables")).includes("! not permitted xt-recent-ipv4"),
  );
});

/** A machine that has these modules, none of them loaded. */
function buildWith(modules: readonly string[], needs: Readonly<Record<string, string[]>> = {}): KernelBuild {
  const paths = new Map(modules.map((name) => [name, `/lib/modules/6.1/${name}.ko`]));
  const builtIn = new Set(["unix"]);
  return {
    ...UNKNOWN_BUILD,
    modules: { ...UNKNOWN_BUILD.modules, builtIn, paths, needs: new Map(Object.entries(needs)) },
  };
}

Deno.test("judgeProbes() knows that iptables-legacy loads what it needs, by the files of the modules", () => {
  const config = configWith({ protocols: ["tcp"] }, { backend: "iptables" });
  const plan = planInstall(config, ROUTER);
  const needed = listXtablesNeeds(config, plan);
  const tables = ["raw", "mangle", "filter"].flatMap((name) => [`iptable_${name}`, `ip6table_${name}`]);
  const parts = FAMILIES.flatMap((family) =>
    needed[family].map((name) => XTABLES_PARTS[name].module[family])
  );
  const all = ["ip_tables", "ip6_tables", ...tables, ...parts];
  const judge = (build: KernelBuild) => diagnoseKernel({ legacy: 92 }, config, "legacy", build);
  assert.deepEqual(troubles(judge(buildWith(all))), []);
  const without = (name: string) => buildWith(all.filter((module) => module !== name));
  assert.deepEqual(troubles(judge(without("xt_TPROXY"))), ["! missing xt-tproxy-ipv4 (xt-tproxy-ipv6)"]);
  assert.deepEqual(troubles(judge(without("ip6table_raw"))), ["! missing iptables-table-raw-ipv6"]);
  const [{ part, cause }] = judge(without("ip6table_raw")).filter(({ state }) => state === "missing");
  assert.equal(part?.openWrtPackage, "kmod-ipt-raw6");
  assert.match(cause, /^This kernel lacks ip6table_raw \(CONFIG_IP6_NF_RAW\)/);
  // A part that is compiled in has no file, and an unknown one is not called missing.
  const names = [...new Set(all.map((name) => KERNEL_PARTS[name as KernelModule].symbol))];
  const compiledIn = names.map((symbol) => `CONFIG_${symbol}=y\n`).join("");
  assert.deepEqual(troubles(judge({ ...UNKNOWN_BUILD, config: compiledIn })), []);
  assert.deepEqual(
    troubles(judge({ ...UNKNOWN_BUILD, config: compiledIn.replace("CONFIG_IP_NF_RAW=y\n", "") })),
    [
      "! missing iptables-table-raw-ipv4",
    ],
  );
  const deep = buildWith(all, { xt_TPROXY: ["nf_tproxy_ipv4"] });
  assert.equal(judge(deep).find(({ state }) => state === "missing")?.part?.module, "nf_tproxy_ipv4");
});

Deno.test("judgeProbes() tells one cause for all that the same module keeps from working", () => {
  const modules = ["nft_ct", "nf_tables", "xt_CT", "xt_conntrack", "xt_connmark", "nft_compat"];
  const build = buildWith(modules, {
    nft_ct: ["nf_conntrack"],
    xt_CT: ["nf_conntrack"],
    xt_conntrack: ["nf_conntrack"],
  });
  const config = configWith({ protocols: ["tcp", "udp"] }, { backend: "iptables" });
  const lacks = { expression: "notrack", extension: "CT" };
  const findings = diagnoseKernel(lacks, config, "nf_tables", build);
  // That of the backend that is used speaks for the others.
  assert.deepEqual(troubles(findings), ["! missing xt-notrack-ipv4 (nft-notrack xt-notrack-ipv6)"]);
  const [{ part }] = findings.filter(({ state }) => state === "missing");
  assert.deepEqual(part, {
    module: "nf_conntrack",
    config: "CONFIG_NF_CONNTRACK",
    openWrtPackage: "kmod-nf-conntrack",
  });
});

Deno.test("judgeProbes() goes by the rules of the plan, not by the policy for failures alone", () => {
  const blocking = { ...configWith(), default: "block" as const };
  assert.deepEqual(troubles(diagnoseKernel({ expression: "reject" }, blocking)), ["! missing nft-reject"]);
  const router = configWith({ routerTraffic: true });
  assert.deepEqual(troubles(diagnoseKernel({}, router)), []);
  // EOPNOTSUPP for the key: compiled without it; ENOENT for the expression: one cause.
  const findings = diagnoseKernel({ key: "mark" }, router);
  assert.deepEqual(troubles(findings), ["! missing nft-ct-mark"]);
  assert.match(findings.find(({ id }) => id === "nft-ct-mark")!.cause, /without CONFIG_NF_CONNTRACK_MARK/);
  const both = diagnoseKernel({ expression: "notrack", key: "mark" }, router);
  assert.deepEqual(troubles(both), ["! missing nft-notrack"]);
});

Deno.test("judgeProbes() needs raw sockets where UDP is intercepted", () => {
  const udp = configWith({ protocols: ["tcp", "udp"] });
  const tcp = configWith({ protocols: ["tcp"] });
  assert.deepEqual(troubles(diagnoseKernel({ rawUdp: { ipv4: 1 } }, udp)), ["! not permitted raw-udp-ipv4"]);
  assert.deepEqual(troubles(diagnoseKernel({ rawUdp: { ipv6: 93 } }, udp)), ["! missing raw-udp-ipv6"]);
  assert.deepEqual(troubles(diagnoseKernel({ rawUdp: { ipv6: 93 } }, tcp)), ["missing raw-udp-ipv6"]);
});

Deno.test("judgeProbes() tells of the whole table only what its parts do not tell", () => {
  // No part is tried with a lookup, the table has several.
  const findings = diagnoseKernel({ expression: "lookup" });
  assert.deepEqual(troubles(findings), ["! missing nft-table"]);
});

/** Message types of nf_tables: new table, delete table, new rule, new chain. */
const NEW_TABLE = 0xa00;
const DELETE_TABLE = 0xa02;
const RTM = { newRoute: 24, delRoute: 25, newRule: 32, delRule: 33 };

function count(sent: readonly NetlinkMessage[], type: number): number {
  return sent.filter((message) => message.type === type).length;
}

Deno.test("probeKernel() deletes in the same transaction what it makes, and has no hook in the router", () => {
  const { tools, netfilter } = fakeMachine({});
  const table = compileTable(planInstall(configWith(), ROUTER));
  probeKernel({ families: FAMILIES, table, own: false, xtables: XTABLES }, tools);
  const batches = netfilter.sent.filter((messages) => messages.length > 1);
  assert.ok(batches.length >= 7);
  for (const messages of batches) {
    assert.equal(count(messages, NEW_TABLE), 1);
    assert.equal(messages.at(-2)?.type, DELETE_TABLE, "before the end of the batch");
    const text = messages.map(({ body }) => new TextDecoder("latin1").decode(body)).join();
    assert.ok(!text.includes("filter\0"), "a base chain has a type");
    assert.ok(!text.includes(table.name), "not the name of an install");
  }
});

Deno.test("probeKernel() removes rule and route, also when something fails on the way", () => {
  for (const lacks of [{}, { routeType: "unicast" }, { route: 100 }] as const) {
    const { tools, route } = fakeMachine(lacks);
    probeKernel({ families: FAMILIES, own: false, xtables: XTABLES }, tools);
    const sent = route.sent.flat();
    assert.equal(count(sent, RTM.newRule), 2);
    assert.equal(count(sent, RTM.delRule), 2);
    assert.equal(count(sent, RTM.delRoute), "route" in lacks ? 0 : 2, JSON.stringify(lacks));
  }
});

Deno.test("probeKernel() adds no route where the kernel has no policy routing: it would be in the main table", () => {
  const { tools, route } = fakeMachine({ rule: { ipv4: 97, ipv6: 97 } });
  probeKernel({ families: FAMILIES, own: false, xtables: XTABLES }, tools);
  assert.equal(count(route.sent.flat(), RTM.newRoute), 0);
});
