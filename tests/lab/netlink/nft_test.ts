/**
 * src/netlink/nft against the real kernel and nft, both ways: what we write nft reads, what nft writes we
 * read.
 */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { OperationError } from "../../../src/net/error.ts";
import { parseEndpoint, parsePrefix } from "../../../src/net/ip.ts";
import type { NetlinkConnection } from "../../../src/netlink/connection.ts";
import { readGeneration } from "../../../src/netlink/nft/generation.ts";
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
import { openNetlink } from "../../../src/netlink/transport.ts";

import { inNewNetwork, labTest, run } from "./new_network.ts";
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

/**
 * nft's own view of everything, expressions included, without what differs from run to run: handles, hash
 * order.
 */
function nftView(): string[] {
  const text = run("nft", ["--debug=netlink", "list", "ruleset"]);
  const lines = text.split("\n").map((line) => line.replace(/^(inet \S+ \S+)(?: \d+){1,2}$/, "$1"));
  const elements = lines.filter((line) => line.startsWith("\telement ")).sort();
  return [...lines.filter((line) => !line.startsWith("\telement ")), ...elements];
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

labTest("commit() with a generation changes nothing when anybody has changed the rules since", () => {
  using connection = openNetlink("netfilter");
  const add = (name: string) => new NftBatch().addTable({ family, name });
  const names = () => listTables(connection).map(({ name }) => name);
  const first = readGeneration(connection);
  add("a").commit(connection, { generation: first });
  assert.notEqual(readGeneration(connection), first, "our own change counts too");
  const read = readGeneration(connection);
  run("nft", ["add", "table", "inet", "b"]);
  const refused = (work: () => void) =>
    assert.throws(work, (error) => error instanceof OperationError && error.code === "ERESTART");
  refused(() => add("c").commit(connection, { generation: read }));
  assert.deepEqual(names(), ["a", "b"]);
  const again = readGeneration(connection);
  listTables(connection); // reading changes nothing
  add("c").commit(connection, { generation: again });
  add("d").commit(connection);
  assert.deepEqual(names(), ["a", "b", "c", "d"]);
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
