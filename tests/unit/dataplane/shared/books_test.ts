import assert from "node:assert/strict";
import { Books, type RuleTotals } from "../../../../src/dataplane/shared/books.ts";
import { BLOCKED, CLOSED, FAILED, REFUSED, RESET } from "../../../../src/dataplane/shared/endings.ts";
import { bytesDown, bytesUp, Ledger } from "../../../../src/dataplane/shared/ledger.ts";
import { allocateMemory } from "../../../../src/dataplane/shared/memory.ts";
import { TCP, UDP } from "../../../../src/dataplane/shared/session_key.ts";
import { COUNTER, SharedState } from "../../../../src/dataplane/shared/state.ts";
import { WorkerTotals } from "../../../../src/dataplane/shared/totals.ts";
import { DEFAULT_RULE } from "../../../../src/policy/policy.ts";
import { sockaddr } from "../support/addresses.ts";

/** Books of two workers, and what each of these writes with. */
function open() {
  const memory = allocateMemory({ workers: 2, connections: 8, udpSessions: 8 });
  const books = new Books(memory);
  const first = books.begin({ generation: 1, rules: ["games", "work"], otherwise: "default" });
  const workers = [0, 1].map((index) => {
    const totals = new WorkerTotals(index, first);
    const flows = memory.ledgers[index];
    return {
      totals,
      tcp: new Ledger(flows.tcp, TCP, totals, flows),
      udp: new Ledger(flows.udp, UDP, totals, flows),
      state: new SharedState(memory.state, index),
    };
  });
  return { books, workers };
}

/** A session from begin to end. */
function live(
  ledger: Ledger,
  options: { client: string; rule?: number; carrier?: number; up?: number; ending?: number },
): void {
  ledger.open(0, 1, sockaddr(options.client), 0, 0);
  if (options.rule !== undefined) ledger.decided(0, options.rule);
  ledger.through(0, options.carrier ?? 0);
  ledger.bytes[bytesUp(0)] += options.up ?? 0;
  ledger.bytes[bytesDown(0)] += 1;
  ledger.end(0, options.ending ?? CLOSED);
}

/** Leaves out zeros. */
function brief({ rule, protocol, family, endings, bytesUp }: RuleTotals): unknown[] {
  return [
    rule,
    protocol,
    family,
    Object.fromEntries(Object.entries(endings).filter(([, count]) => count > 0)),
    bytesUp,
  ];
}

Deno.test("Books.totals() sums what has ended by rule, protocol, family and ending, over all workers", () => {
  const { books, workers: [one, two] } = open();
  live(one.tcp, { client: "10.0.0.1:1", rule: 1, up: 5 });
  live(two.tcp, { client: "10.0.0.2:1", rule: 1, up: 7, ending: RESET });
  live(two.tcp, { client: "[fd00::1]:1", rule: 1, up: 1 });
  live(two.udp, { client: "10.0.0.1:1", rule: DEFAULT_RULE, up: 2 });
  live(one.udp, { client: "10.0.0.1:1" });
  assert.deepEqual(books.totals().map(brief), [
    [null, "udp", "ipv4", { closed: 1 }, 0],
    ["default", "udp", "ipv4", { closed: 1 }, 2],
    ["work", "tcp", "ipv4", { closed: 1, reset: 1 }, 12],
    ["work", "tcp", "ipv6", { closed: 1 }, 1],
  ]);
});

Deno.test("Books.totals() keeps what has ended under rules that are in force no more", () => {
  const { books, workers: [one, two] } = open();
  live(one.tcp, { client: "10.0.0.1:1", rule: 0, up: 5 });
  two.tcp.open(3, 1, sockaddr("10.0.0.2:1"), 0, 0);
  two.tcp.decided(3, 0);
  for (let generation = 2; generation <= 4; generation++) {
    const memory = books.begin({ generation, rules: ["other", "games"], otherwise: "default" });
    for (const { totals, tcp, udp } of [one, two]) {
      totals.adopt(memory);
      totals.forgetPast([tcp.columns, udp.columns]);
    }
    live(one.tcp, { client: "10.0.0.1:1", rule: 1, up: 100 });
  }
  const [row] = books.sessions();
  assert.deepEqual([row.generation, row.ruleName], [1, "games"], "it goes by the rules of its beginning");
  two.tcp.end(3, RESET);
  assert.deepEqual(books.totals().map(brief), [["games", "tcp", "ipv4", { closed: 4, reset: 1 }, 305]]);
  books.begin({ generation: 5, rules: [], otherwise: "default" });
  assert.deepEqual(books.totals().map(brief), [["games", "tcp", "ipv4", { closed: 4, reset: 1 }, 305]]);
});

Deno.test("Books.counters() counts bytes of live sessions too, beyond 32 bits", () => {
  const { books, workers: [one, two] } = open();
  live(one.tcp, { client: "10.0.0.1:1", up: 2 ** 40 });
  two.tcp.open(5, 1, sockaddr("10.0.0.2:1"), 0, 0);
  two.tcp.bytes[bytesUp(5)] += 1;
  two.udp.open(5, 1, sockaddr("10.0.0.2:1"), 0, 0);
  two.udp.bytes[bytesDown(5)] += 9;
  const { bytesUp: up, bytesDown: down, udpBytesUp, udpBytesDown } = books.counters();
  assert.deepEqual([up, down, udpBytesUp, udpBytesDown], [2 ** 40 + 1, 1, 0, 9]);
});

Deno.test("Books.counters() joins what workers count with what sessions have come to", () => {
  const { books, workers: [one, two] } = open();
  one.state.row(0)[COUNTER.accepted] = 3;
  two.state.row(1)[COUNTER.failed] = 2;
  live(one.tcp, { client: "10.0.0.1:1", ending: REFUSED });
  live(two.tcp, { client: "10.0.0.1:1", ending: FAILED });
  live(two.udp, { client: "10.0.0.1:1" });
  const counters = Object.entries(books.counters()).filter(([, count]) => count > 0);
  assert.deepEqual(Object.fromEntries(counters), {
    accepted: 3,
    refused: 1,
    failed: 3,
    udpClosed: 1,
    bytesDown: 2,
    udpBytesDown: 1,
  });
});

Deno.test("Books.account() tells workers' counts, what has ended, and live sessions of each kind", () => {
  const { books, workers: [one, two] } = open();
  one.state.row(0)[COUNTER.accepted] = 3;
  live(one.tcp, { client: "10.0.0.1:1", up: 5 });
  for (const { tcp } of [one, two]) {
    tcp.open(0, 2, sockaddr("10.0.0.1:2"), 0, 0);
    tcp.bytes[bytesUp(0)] += 7;
  }
  two.udp.open(3, 1, sockaddr("[fd00::1]:1"), 0, 0);
  two.udp.bytes[bytesDown(3)] += 9;
  const { counters, ended, live: kinds } = books.account();
  assert.deepEqual([counters.accepted, ended.map(brief)], [3, [[null, "tcp", "ipv4", { closed: 1 }, 5]]]);
  assert.deepEqual(
    kinds.map(({ protocol, family, sessions, bytesUp, bytesDown }) =>
      [protocol, family, sessions, bytesUp, bytesDown].join(" ")
    ),
    ["tcp ipv4 2 14 0", "tcp ipv6 0 0 0", "udp ipv4 0 0 0", "udp ipv6 1 0 9"],
  );
});

Deno.test("Books.begin() keeps a generation to which a session belongs whose row is just being written", () => {
  const { books, workers: [one] } = open();
  one.tcp.open(0, 1, sockaddr("10.0.0.1:1"), 0, 0);
  one.tcp.decided(0, 1);
  books.begin({ generation: 2, rules: [], otherwise: "default" });
  one.tcp.columns.begin(0); // and its thread has to wait for a processor
  books.begin({ generation: 3, rules: [], otherwise: "default" });
  one.tcp.columns.settle(0);
  assert.equal([...books.sessions()][0].ruleName, "work");
  one.tcp.end(0, RESET);
  assert.deepEqual(books.totals().map(brief), [["work", "tcp", "ipv4", { reset: 1 }, 0]]);
});

Deno.test("Books.hits() counts flows by rule and upstream over all generations, live ones too", () => {
  const { books, workers: [one, two] } = open();
  const ways = [{ action: "direct", group: null }, { action: "proxy", group: "corp" }] as const;
  const begin = (generation: number, upstreams: string[]) => {
    const memory = books.begin({ generation, rules: ["work"], otherwise: "default", ways, upstreams });
    for (const { totals, tcp, udp } of [one, two]) {
      totals.adopt(memory);
      totals.forgetPast([tcp.columns, udp.columns]);
    }
  };
  begin(2, ["a", "b"]);
  live(one.tcp, { client: "10.0.0.1:1", rule: 0, carrier: 2, up: 5 });
  live(two.tcp, { client: "10.0.0.1:1", rule: 0, carrier: 1, up: 100, ending: RESET });
  begin(3, ["b"]);
  live(one.udp, { client: "10.0.0.1:1", rule: 0, carrier: 1, up: 20 });
  live(one.udp, { client: "10.0.0.1:1", rule: 0, up: 0, ending: BLOCKED });
  live(one.tcp, { client: "10.0.0.1:1", carrier: 1, ending: REFUSED });
  begin(4, ["b"]);
  two.tcp.open(5, 1, sockaddr("10.0.0.2:1"), 0, 0);
  two.tcp.decided(5, 0);
  two.tcp.through(5, 1);
  two.tcp.bytes[bytesUp(5)] += 1;
  const { ruleHits, upstreamHits } = books.hits();
  assert.deepEqual(ruleHits, [
    { name: "work", action: "proxy", flows: 5, live: 1, blocked: 1, failed: 0, bytesUp: 126, bytesDown: 4 },
    { name: "default", action: "direct", flows: 0, live: 0, blocked: 0, failed: 0, bytesUp: 0, bytesDown: 0 },
  ]);
  const b = { name: "b", flows: 4, live: 1, blocked: 0, failed: 1, bytesUp: 26, bytesDown: 3 };
  assert.deepEqual(upstreamHits, [b]);
});
