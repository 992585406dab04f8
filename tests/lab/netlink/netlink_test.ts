/**
 * src/netlink against the real kernel, nft and ip, both ways: what we write they read, what they write we read.
 *
 * Each test has network namespaces of its own. They are the calling thread's, without a name, so they vanish with the
 * test; everything in between is synchronous, child processes included, for the thread to stay in its namespace.
 */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { enterNetwork, openReadOnly, unshareNetwork } from "../../../ffi/process.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { check, OperationError } from "../../../src/net/error.ts";
import { parseEndpoint, parseIp, parsePrefix } from "../../../src/net/ip.ts";
import type { NetlinkConnection } from "../../../src/netlink/connection.ts";
import { NftBatch } from "../../../src/netlink/nft/batch.ts";
import { listChains } from "../../../src/netlink/nft/chain.ts";
import { listElements } from "../../../src/netlink/nft/sets/element.ts";
import type { NftExpression } from "../../../src/netlink/nft/expression.ts";
import { elementRanges, intervalElements, prefixRange } from "../../../src/netlink/nft/sets/interval.ts";
import { listRules } from "../../../src/netlink/nft/rule.ts";
import { listSets } from "../../../src/netlink/nft/sets/set.ts";
import { ifnameKey, portKey } from "../../../src/netlink/nft/sets/set_type.ts";
import * as statement from "../../../src/netlink/nft/phrases.ts";
import { listTables } from "../../../src/netlink/nft/table.ts";
import { addAddress, deleteAddress, listAddresses } from "../../../src/netlink/route/address.ts";
import {
  createVeth,
  deleteLink,
  findLink,
  listLinks,
  moveLink,
  setLinkUp,
} from "../../../src/netlink/route/link.ts";
import {
  addRoute,
  deleteRoute,
  listRoutes,
  type Route,
  ROUTE_SCOPE,
} from "../../../src/netlink/route/route.ts";
import { lookUpRoute } from "../../../src/netlink/route/route_question.ts";
import {
  addRule,
  deleteRule,
  listRules as listRoutingRules,
  type RoutingRule,
} from "../../../src/netlink/route/rule.ts";
import { openNetlink } from "../../../src/netlink/transport.ts";

const family = "inet" as const;
const table = "transparent_proxy";
const RULESET = `
table inet transparent_proxy {
  comment "ours"
  set lan { type ifname; elements = { "lan0", "lan1" } }
  set ports { type inet_service; flags interval; elements = { 80, 443, 8000-8100, 60000-65535 } }
  set nets { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 192.168.0.0/16 } }
  chain intercept {
    meta nfproto ipv4 tcp flags syn / fin,syn,rst,ack tproxy ip to 127.0.0.1:50080 meta mark set meta mark | 1 notrack accept
    meta nfproto ipv6 meta l4proto udp tproxy ip6 to [::1]:50080 meta mark set meta mark | 1 notrack accept
    meta l4proto tcp reject with tcp reset
    meta l4proto udp reject with icmpx port-unreachable
  }
  chain divert {
    type filter hook prerouting priority raw - 10; policy accept;
    iifname != @lan return
    fib daddr type { local, broadcast, anycast, multicast } return
    meta l4proto { tcp, udp } th dport != @ports return
    meta nfproto ipv4 ip daddr @nets return
    meta l4proto tcp socket transparent 1 meta mark set meta mark | 1 notrack accept comment "to the proxy"
    jump intercept
  }
  chain untracked {
    type filter hook output priority raw; policy accept;
    meta mark & 0x4 == 0x4 notrack
    ct state established,related counter
  }
}
`;

/** The same by our own hand, in the order in which nft sends it. */
function rulesetBatch(): NftBatch {
  const batch = new NftBatch();
  const named = (name: string) => ({ family, table, name });
  batch.destroyTable({ family, name: table });
  batch.addTable({ family, name: table, comment: "ours" });
  batch.addChain(named("intercept"));
  batch.addChain({
    ...named("divert"),
    base: { type: "filter", hook: "prerouting", priority: -310, policy: "accept" },
  });
  batch.addChain({
    ...named("untracked"),
    base: { type: "filter", hook: "output", priority: -300, policy: "accept" },
  });
  batch.addSet({ ...named("lan"), type: ["ifname"] });
  batch.addElements(named("lan"), [{ key: ifnameKey("lan0") }, { key: ifnameKey("lan1") }]);
  batch.addSet({ ...named("ports"), type: ["inet_service"], flags: ["interval"] });
  const ports = [[80, 80], [443, 443], [8000, 8100], [60000, 65535]] as const;
  batch.addElements(
    named("ports"),
    intervalElements(ports.map(([first, last]) => ({ from: portKey(first), to: portKey(last) }))),
  );
  batch.addSet({ ...named("nets"), type: ["ipv4_addr"], flags: ["interval"] });
  const nets = ["10.0.0.0/8", "192.168.0.0/16"].map((text) => prefixRange(parsePrefix(text)!));
  batch.addElements(named("nets"), intervalElements(nets));
  const rule = (chain: string, statements: NftExpression[][], comment?: string) =>
    batch.addRule({
      family,
      table,
      chain,
      expressions: statements.flat(),
      ...(comment === undefined ? {} : { comment }),
    });
  const accept = [statement.setMarkBits(1), statement.notrack(), statement.verdict("accept")];
  rule("intercept", [
    statement.networkFamily("ipv4"),
    statement.transport("tcp"),
    statement.bareSyn(),
    statement.tproxyTo(parseEndpoint("127.0.0.1:50080")!),
    ...accept,
  ]);
  rule("intercept", [
    statement.networkFamily("ipv6"),
    statement.transport("udp"),
    statement.tproxyTo(parseEndpoint("[::1]:50080")!),
    ...accept,
  ]);
  rule("intercept", [statement.transport("tcp"), statement.reject("tcp-reset")]);
  rule("intercept", [statement.transport("udp"), statement.reject("port-unreachable")]);
  rule("divert", [statement.inputInterface({ set: "lan" }, { negate: true }), statement.verdict("return")]);
  const types = batch.addAnonymousSet(
    { family, table, type: ["fib_addrtype"] },
    (["local", "broadcast", "anycast", "multicast"] as const).map((type) => ({
      key: statement.addressTypeKey(type),
    })),
  );
  rule("divert", [statement.destinationType(types), statement.verdict("return")]);
  const protocols = batch.addAnonymousSet(
    { family, table, type: ["inet_proto"] },
    (["tcp", "udp"] as const).map((protocol) => ({ key: statement.protocolKey(protocol) })),
  );
  rule("divert", [
    statement.transport(protocols),
    statement.destinationPort({ set: "ports" }, { negate: true }),
    statement.verdict("return"),
  ]);
  rule("divert", [
    statement.networkFamily("ipv4"),
    statement.address("destination", { family: "ipv4", set: { set: "nets" } }),
    statement.verdict("return"),
  ]);
  rule("divert", [statement.transport("tcp"), statement.transparentSocket(), ...accept], "to the proxy");
  rule("divert", [statement.verdict("jump", "intercept")]);
  rule("untracked", [statement.hasMark(4, { mask: 4 }), statement.notrack()]);
  rule("untracked", [statement.conntrackState(["established", "related"]), statement.counter()]);
  return batch;
}

function run(command: string, args: readonly string[]): string {
  const { success, stdout, stderr } = new Deno.Command(command, { args: [...args] }).outputSync();
  assert.ok(success, `${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

function json(...args: string[]): Record<string, unknown>[] {
  return JSON.parse(run("ip", ["-j", ...args]) || "[]");
}

/** Feeds a file to nft; its output is not used. */
function nftFile(text: string): void {
  const path = Deno.makeTempFileSync();
  try {
    Deno.writeTextFileSync(path, text);
    run("nft", ["-f", path]);
  } finally {
    Deno.removeSync(path);
  }
}

/** nft's own view of everything, expressions included, without what differs from run to run: handles, hash order. */
function nftView(): string[] {
  const text = run("nft", ["--debug=netlink", "list", "ruleset"]);
  const lines = text.split("\n").map((line) => line.replace(/^(inet \S+ \S+)(?: \d+){1,2}$/, "$1"));
  const elements = lines.filter((line) => line.startsWith("\telement ")).sort();
  return [...lines.filter((line) => !line.startsWith("\telement ")), ...elements];
}

/** A descriptor of the network namespace that the thread is in. */
function currentNetwork(): number {
  return check(openReadOnly("/proc/thread-self/ns/net"), "open", "/proc/thread-self/ns/net");
}

/** Runs `work` in a new network namespace and comes back. */
function inNewNetwork<T>(work: () => T): T {
  const home = currentNetwork();
  try {
    check(unshareNetwork(), "unshare network");
    return work();
  } finally {
    check(enterNetwork(home), "return to the network namespace");
    closeFd(home);
  }
}

function missing(): string {
  if (Deno.uid() !== 0) return "root";
  for (const [program, flag] of [["nft", "--version"], ["ip", "-V"]]) {
    try {
      new Deno.Command(program, { args: [flag] }).outputSync();
    } catch {
      return program;
    }
  }
  return "";
}

const lacks = missing();
// deno-lint-ignore no-console
if (lacks !== "") console.log(`netlink_test: skipped, needs ${lacks}`);

function labTest(name: string, work: () => void): void {
  Deno.test({ name, ignore: lacks !== "", fn: () => inNewNetwork(work) });
}

labTest("NftBatch makes the rule set that nft makes of the same text, expression by expression", () => {
  using connection = openNetlink("netfilter");
  rulesetBatch().commit(connection);
  const ours = nftView();
  const theirs = inNewNetwork(() => {
    nftFile(RULESET);
    return nftView();
  });
  assert.ok(theirs.length > 100, "nft lists nothing");
  assert.deepEqual(ours, theirs);
  rulesetBatch().commit(connection);
  assert.deepEqual(nftView(), theirs, "again");
});

/** A batch that makes the table anew from what the dumps tell. */
function copyOf(connection: NetlinkConnection, name: string): NftBatch {
  const found = listTables(connection).find((candidate) => candidate.name === name);
  assert.ok(found, `no table ${name}`);
  const sets = listSets(connection, found).map((set) => ({ set, elements: listElements(connection, set) }));
  const anonymous = new Map(
    sets.filter(({ set }) => set.flags?.includes("anonymous")).map((entry) => [entry.set.name, entry]),
  );
  const batch = new NftBatch().addTable(found);
  listChains(connection, found).forEach((chain) => batch.addChain(chain));
  for (const { set, elements } of sets.filter(({ set }) => !anonymous.has(set.name))) {
    batch.addSet(set);
    batch.addElements(set, elements);
  }
  for (const rule of listRules(connection, { family, table: name })) {
    const expressions = rule.expressions.map((expression): NftExpression => {
      const entry = expression.kind === "lookup" ? anonymous.get(expression.set) : undefined;
      if (entry === undefined) return expression;
      const where = { family, table: name, type: entry.set.type };
      return { ...expression, ...batch.addAnonymousSet(where, entry.elements) } as NftExpression;
    });
    batch.addRule({ ...rule, expressions });
  }
  return batch;
}

labTest("listTables() and its like read what nft wrote, completely enough to write it again", () => {
  nftFile(RULESET);
  const theirs = nftView();
  using connection = openNetlink("netfilter");
  const batch = copyOf(connection, table);
  const ours = inNewNetwork(() => {
    using elsewhere = openNetlink("netfilter");
    batch.commit(elsewhere);
    return nftView();
  });
  assert.deepEqual(ours, theirs);
});

labTest("listElements() reads ranges, verdict maps and concatenations that nft wrote", () => {
  nftFile(`table inet t {
    chain c { }
    set p { type inet_service; flags interval; elements = { 1, 7-9, 100-65535 } }
    map m { type inet_service : verdict; elements = { 80 : jump c, 81 : drop } }
    set d { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 80-90 } }
  }`);
  using connection = openNetlink("netfilter");
  const elements = (name: string) => listElements(connection, { family, table: "t", name });
  const ranges = elementRanges(elements("p")).map(({ from, to }) => `${from}-${to}`);
  assert.deepEqual(ranges, ["0,1-0,1", "0,7-0,9", "0,100-255,255"]);
  const verdicts = elements("m").map(({ key, value }) => [key[1], value]).sort();
  assert.deepEqual(verdicts, [[80, { code: "jump", chain: "c" }], [81, { code: "drop" }]]);
  assert.deepEqual(elements("d").map(({ key, keyEnd }) => [key.join(), keyEnd?.join()]), [
    ["10,0,0,0,0,80,0,0", "10,255,255,255,0,90,0,0"],
  ]);
});

labTest("commit() takes a set of 40,000 networks in one batch, and listElements() reads them back", () => {
  using connection = openNetlink("netfilter");
  const set = { family, table: "t", name: "big" };
  const ranges = Array.from({ length: 40_000 }, (_, index) => {
    const from = Uint8Array.of(10 + (index >> 14), (index >> 6) & 0xff, (index << 2) & 0xff, 0);
    return { from, to: Uint8Array.of(from[0], from[1], from[2], 0x7f) };
  });
  const batch = new NftBatch().addTable({ family, name: "t" });
  batch.addSet({ ...set, type: ["ipv4_addr"], flags: ["interval"] });
  batch.addElements(set, intervalElements(ranges)).commit(connection);
  const found = elementRanges(listElements(connection, set));
  assert.equal(found.length, 40_000);
  assert.ok(isDeepStrictEqual(found, ranges));
  assert.match(run("nft", ["list", "set", "inet", "t", "big"]), /10\.0\.0\.0\/25,.*10\.0\.4\.0\/25/);
});

labTest("commit() changes nothing when one command fails, and names it and the part refused", () => {
  using connection = openNetlink("netfilter");
  const chain = { family, table: "t", name: "c" };
  const rule = (expressions: NftExpression[]) => ({ family, table: "t", chain: "c", expressions });
  const batch = () => new NftBatch().addTable({ family, name: "t" }).addChain(chain).addRule(rule([]));
  const failure = (bad: NftExpression[]): OperationError => {
    try {
      batch().addRule(rule(bad)).addRule(rule(bad)).commit(connection);
    } catch (error) {
      assert.ok(error instanceof OperationError);
      return error;
    }
    throw new assert.AssertionError({ message: "nothing was thrown" });
  };
  const unknown = failure([...statement.notrack(), {
    kind: "unknown",
    name: "nosuch",
    data: new Uint8Array(0),
  }]);
  assert.equal(
    unknown.message,
    'Cannot add rule "c/2": ENOENT (No such file or directory), kernel: it refuses expression 2 (nosuch)',
  );
  assert.match(
    failure(statement.verdict("jump", "nowhere")).message,
    /c\/2": ENOENT .*expression 1 \(immediate\)/,
  );
  assert.equal(run("nft", ["list", "ruleset"]), "");
  batch().commit(connection);
  assert.deepEqual(listRules(connection, { family, table: "t" }).length, 1);
  new NftBatch().flushChain(chain).deleteChain(chain).commit(connection);
  assert.deepEqual(listChains(connection, { family, name: "t" }), []);
  new NftBatch().destroyTable({ family, name: "t" }).commit(connection);
  assert.deepEqual(listRules(connection, { family, table: "t" }), []);
  assert.deepEqual(listTables(connection), []);
});

labTest("addRule() puts a rule after another, deleteRule() and deleteElements() take away", () => {
  using connection = openNetlink("netfilter");
  nftFile(`table inet t {
    set s { type ifname; elements = { "a", "b" } }
    chain c {
      accept
      drop
    }
  }`);
  const rules = () => listRules(connection, { family, table: "t", chain: "c" });
  const [first] = rules();
  const expressions = statement.verdict("return");
  new NftBatch().addRule({ family, table: "t", chain: "c", expressions }, { after: first.handle! }).commit(
    connection,
  );
  const verdicts = () =>
    rules().map(({ expressions: [only] }) => only.kind === "verdict" ? only.verdict.code : "");
  assert.deepEqual(verdicts(), ["accept", "return", "drop"]);
  const set = { family, table: "t", name: "s" };
  new NftBatch().deleteRule({ family, table: "t", chain: "c", handle: first.handle! })
    .deleteElements(set, [{ key: ifnameKey("a") }]).commit(connection);
  assert.deepEqual(verdicts(), ["return", "drop"]);
  assert.deepEqual(listElements(connection, set), [{ key: ifnameKey("b") }]);
});

labTest("createVeth(), addAddress() and their like do what ip shows", () => {
  using connection = openNetlink("route");
  const home = currentNetwork();
  const other = inNewNetwork(currentNetwork);
  try {
    createVeth(connection, { name: "a0", peer: "b0", peerNamespaceFd: other });
    const link = findLink(connection, "a0");
    assert.ok(link);
    setLinkUp(connection, link.index);
    const address = { linkIndex: link.index, prefix: parsePrefix("192.0.2.1/24")! };
    const address6 = { linkIndex: link.index, prefix: parsePrefix("2001:db8::1/64")!, noDad: true };
    addAddress(connection, address);
    addAddress(connection, address6);
    const [shown] = json("address", "show", "dev", "a0") as [
      { flags: string[]; addr_info: { local: string; prefixlen: number }[] },
    ];
    assert.ok(shown.flags.includes("UP"));
    const shownAddresses = shown.addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`);
    assert.deepEqual(shownAddresses.filter((text) => !text.startsWith("fe80")), [
      "192.0.2.1/24",
      "2001:db8::1/64",
    ]);
    assert.deepEqual(listAddresses(connection, "ipv4"), [address]);
    assert.throws(() => addAddress(connection, address), /Cannot add address "192.0.2.1\/24": EEXIST/);
    deleteAddress(connection, address);
    assert.deepEqual(listAddresses(connection, "ipv4"), []);
    check(enterNetwork(other), "enter");
    assert.deepEqual(json("link", "show").map(({ ifname }) => ifname), ["lo", "b0"]);
    check(enterNetwork(home), "return");
    createVeth(connection, { name: "c0", peer: "d0" });
    moveLink(connection, findLink(connection, "d0")!.index, { fd: other });
    setLinkUp(connection, link.index, { up: false });
    assert.deepEqual(listLinks(connection).map(({ name, kind, up }) => [name, kind, up]), [
      ["lo", "", false],
      ["a0", "veth", false],
      ["c0", "veth", false],
    ]);
    deleteLink(connection, link.index);
    assert.deepEqual(json("link", "show").map(({ ifname }) => ifname), ["lo", "c0"]);
    assert.throws(() => deleteLink(connection, link.index), /Cannot delete interface "\d+": ENODEV/);
  } finally {
    check(enterNetwork(home), "return");
    closeFd(other);
    closeFd(home);
  }
});

Deno.test({
  name: "createVeth() and moveLink() find a namespace by the id of a process",
  ignore: lacks !== "",
  fn: async () => {
    const sleeper = new Deno.Command("unshare", { args: ["--net", "sleep", "30"] }).spawn();
    try {
      const home = Deno.readLinkSync("/proc/thread-self/ns/net");
      const deadline = Date.now() + 5000;
      while (Deno.readLinkSync(`/proc/${sleeper.pid}/ns/net`) === home && Date.now() < deadline);
      inNewNetwork(() => {
        using connection = openNetlink("route");
        createVeth(connection, { name: "a0", peer: "b0", peerNamespacePid: sleeper.pid });
        createVeth(connection, { name: "c0", peer: "d0" });
        moveLink(connection, findLink(connection, "d0")!.index, { pid: sleeper.pid });
        assert.deepEqual(listLinks(connection).map(({ name }) => name), ["lo", "a0", "c0"]);
        const there = run("nsenter", ["-t", `${sleeper.pid}`, "-n", "ip", "-j", "link"]);
        assert.deepEqual(JSON.parse(there).map(({ ifname }: { ifname: string }) => ifname), [
          "lo",
          "b0",
          "d0",
        ]);
      });
    } finally {
      sleeper.kill();
      await sleeper.status;
    }
  },
});

labTest("addRule() and addRoute() do what ip shows, deleteRule() and deleteRoute() undo it", () => {
  using connection = openNetlink("route");
  const before = ["-4", "-6"].map((option) => run("ip", [option, "rule"]));
  setLinkUp(connection, 1);
  for (const [routeFamily, option, scope] of [["ipv4", "-4", ROUTE_SCOPE.host], ["ipv6", "-6", 0]] as const) {
    const rule: RoutingRule = {
      family: routeFamily,
      priority: 500,
      mark: 1,
      mask: 3,
      iifname: "lan0",
      table: 1000,
      protocol: 50,
    };
    const route: Route = {
      family: routeFamily,
      table: 1000,
      type: "local",
      outLinkIndex: 1,
      protocol: 50,
      scope,
    };
    addRule(connection, rule);
    addRoute(connection, route);
    const [shown] = json(option, "rule", "show", "priority", "500");
    assert.deepEqual(
      [shown.fwmark, shown.fwmask, shown.iif, shown.table, shown.protocol],
      ["0x1", "0x3", "lan0", "1000", "50"],
    );
    assert.match(run("ip", [option, "route", "show", "table", "1000"]), /^local default dev lo proto 50 /);
    assert.throws(
      () => addRule(connection, rule),
      /Cannot add routing rule ".* fwmark 0x1\/0x3 iif lan0 lookup 1000": EEXIST/,
    );
    assert.throws(
      () => addRoute(connection, route),
      /Cannot add route "ipv\d local default table 1000": EEXIST/,
    );
    assert.deepEqual(listRoutingRules(connection, routeFamily).filter(({ protocol }) => protocol === 50), [
      rule,
    ]);
    const [found] = listRoutes(connection, { family: routeFamily, table: 1000 });
    assert.deepEqual([found.type, found.protocol, found.outLinkIndex], ["local", 50, 1]);
    deleteRoute(connection, route);
    deleteRule(connection, rule);
    assert.throws(() => deleteRule(connection, rule), OperationError);
    assert.deepEqual(listRoutes(connection, { family: routeFamily, table: 1000 }), []);
  }
  assert.deepEqual(["-4", "-6"].map((option) => run("ip", [option, "rule"])), before);
});

labTest("listRules(), listRoutes() and lookUpRoute() read what ip wrote", () => {
  using connection = openNetlink("route");
  for (
    const line of [
      "link set lo up",
      "link add a0 type veth peer name b0",
      "link set a0 up",
      "link set b0 up",
      "address add 192.0.2.1/24 dev a0",
      "route add default via 192.0.2.9 metric 7",
      "route add local 0.0.0.0/0 dev lo table 100",
      "rule add fwmark 0x10/0xf0 lookup 100 priority 77",
      "rule add not from 10.0.0.0/8 to 9.9.9.9 oif a0 lookup 1234 priority 78",
    ]
  ) run("ip", line.split(" "));
  const rules = listRoutingRules(connection, "ipv4");
  const shown = json("rule", "show").map(({ priority }) => priority);
  assert.deepEqual(rules.map(({ priority }) => priority), shown);
  assert.deepEqual([rules[1].mark, rules[1].mask, rules[1].table], [0x10, 0xf0, 100]);
  assert.deepEqual([rules[2].inverted, rules[2].oifname, rules[2].table, rules[2].to?.length], [
    true,
    "a0",
    1234,
    32,
  ]);
  const link = findLink(connection, "a0")!;
  const routes = listRoutes(connection, { family: "ipv4", table: 254 });
  const gateway = routes.find((route) => route.destination === undefined);
  assert.deepEqual([gateway?.priority, gateway?.outLinkIndex, gateway?.gateway], [
    7,
    link.index,
    parseIp("192.0.2.9"),
  ]);
  const to = parseIp("198.51.100.1")!;
  const plain = lookUpRoute(connection, { to });
  assert.deepEqual([plain.type, plain.outLinkIndex, plain.gateway], [
    "unicast",
    link.index,
    parseIp("192.0.2.9"),
  ]);
  assert.equal(lookUpRoute(connection, { to, mark: 0x10 }).type, "local");
  const lo = lookUpRoute(connection, { to: parseIp("192.0.2.1")!, from: parseIp("192.0.2.1")! });
  assert.equal(lo.type, "local");
  run("ip", ["link", "delete", "a0"]);
  assert.throws(() => lookUpRoute(connection, { to }), /Cannot look up route to "198.51.100.1": ENETUNREACH/);
});

labTest("listRules() of IPv6 and listLinks() agree with ip", () => {
  using connection = openNetlink("route");
  run("ip", ["link", "add", "br0", "type", "bridge"]);
  run("ip", ["link", "add", "a0", "mtu", "1400", "type", "veth", "peer", "name", "b0"]);
  run("ip", ["link", "set", "a0", "master", "br0", "up"]);
  const links = listLinks(connection);
  const shown = json("link", "show");
  assert.deepEqual(
    links.map(({ index, name, mtu, mac }) => [index, name, mtu, mac]),
    shown.map(({ ifindex, ifname, mtu, address }) => [ifindex, ifname, mtu, address]),
  );
  const bridge = links.find(({ kind }) => kind === "bridge");
  assert.deepEqual(links.find(({ name }) => name === "a0")?.master, bridge?.index);
  assert.deepEqual(
    listRoutingRules(connection, "ipv6").map(({ priority, table: number }) => [priority, number]),
    [[0, 255], [32766, 254]],
  );
});
