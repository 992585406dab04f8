import assert from "node:assert/strict";
import { EndedFlows } from "../../../../src/dataplane/flows/ended_flows.ts";
import { RING_RECORDS } from "../../../../src/dataplane/flows/flow_ring.ts";
import { BLOCKED, CLOSED, LOST } from "../../../../src/dataplane/shared/endings.ts";
import { Ledger } from "../../../../src/dataplane/shared/ledger.ts";
import { Books } from "../../../../src/dataplane/shared/books.ts";
import { allocateMemory } from "../../../../src/dataplane/shared/memory.ts";
import { TCP } from "../../../../src/dataplane/shared/session_key.ts";
import { WorkerTotals } from "../../../../src/dataplane/shared/totals.ts";
import { salvage } from "../../../../src/dataplane/seats/salvage.ts";
import { DEFAULT_RULE } from "../../../../src/policy/policy.ts";
import { formatEndpoint } from "../../../../src/net/ip.ts";
import { sockaddr } from "../support/addresses.ts";

const NAMES = {
  rules: ["ads", "work"],
  otherwise: "default",
  ways: [{ action: "direct", group: null }, { action: "block", group: null }, {
    action: "proxy",
    group: "corp",
  }],
  upstreams: ["office", "office2"],
} as const;

function open() {
  const memory = allocateMemory({ workers: 2, connections: 8, udpSessions: 8 });
  const books = new Books(memory);
  const first = books.begin({ generation: 1, ...NAMES });
  const workers = [0, 1].map((index) => {
    const flows = memory.ledgers[index];
    const totals = new WorkerTotals(index, first);
    return { totals, tcp: new Ledger(flows.tcp, TCP, totals, flows) };
  });
  return { memory, books, flows: books.ended, workers };
}

function live(
  ledger: Ledger,
  options: { rule?: number; carrier?: number; name?: string; ending?: number } = {},
) {
  ledger.open(0, 1, sockaddr("10.0.0.1:1000"), 0, 0);
  ledger.destination(0, sockaddr("[2001:db8::1]:443"), 0);
  if (options.rule !== undefined) ledger.decided(0, options.rule);
  if (options.carrier !== undefined) ledger.through(0, options.carrier);
  if (options.name !== undefined) {
    ledger.named(0, new TextEncoder().encode(options.name), options.name.length);
  }
  ledger.bytes[0] += 3;
  ledger.bytes[1] += 4;
  ledger.end(0, options.ending ?? CLOSED);
}

function readAll(flows: EndedFlows) {
  const read = [];
  for (let flow = flows.read(); flow !== undefined; flow = flows.read()) read.push(flow);
  return read;
}

Deno.test("EndedFlows tells what became of each flow, in words", () => {
  const { flows, workers: [one, two] } = open();
  live(one.tcp, { rule: 1 }); // nobody wants to know
  flows.want(true);
  live(one.tcp, { rule: 0, name: "ads.example", ending: BLOCKED });
  live(two.tcp, { rule: 1, carrier: 2 });
  live(two.tcp, { rule: DEFAULT_RULE });
  live(two.tcp);
  const read = readAll(flows);
  const decisions = read.map(({ rule, ruleIndex, action, upstream, group, name, ending }) =>
    [rule, ruleIndex, action, upstream, group, name, ending].join()
  );
  assert.deepEqual(decisions, [
    "ads,0,block,,,ads.example,blocked",
    "work,1,proxy,office2,corp,,closed",
    "default,,direct,,,,closed",
    ",,direct,,,,closed",
  ]);
  const [{ protocol, client, destination, server, bytesUp, bytesDown, started, ended, connectMs }] = read;
  assert.deepEqual(
    [protocol, formatEndpoint(client), formatEndpoint(destination!), server, bytesUp, bytesDown, connectMs],
    ["tcp", "10.0.0.1:1000", "[2001:db8::1]:443", null, 3, 4, null],
  );
  assert.ok(Math.abs(started - Date.now()) < 1000 && ended >= started && ended - started < 100);
  flows.want(false);
  live(one.tcp);
  assert.deepEqual(readAll(flows), []);
});

Deno.test("EndedFlows tells when the upstream had answered", async () => {
  const { flows, workers: [one] } = open();
  flows.want(true);
  one.tcp.open(0, 1, sockaddr("10.0.0.1:1000"), 0, 0);
  await new Promise((resolve) => setTimeout(resolve, 30));
  one.tcp.answered(0);
  one.tcp.end(0, CLOSED);
  const { connectMs } = flows.read()!;
  assert.ok(connectMs! >= 29 && connectMs! < 500, `${connectMs} ms`);
});

Deno.test("EndedFlows counts those for which a ring had no place, and goes on in order", () => {
  const { flows, workers: [one] } = open();
  flows.want(true);
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < RING_RECORDS + 7; i++) live(one.tcp, { rule: 0, name: `${i}.example` });
    assert.equal(flows.missed(), 7);
    assert.deepEqual(
      readAll(flows).map(({ name }) => name),
      Array.from({ length: RING_RECORDS }, (_, i) => `${i}.example`),
    );
  }
  assert.equal(flows.missed(), 0);
});

Deno.test("EndedFlows goes by the rules under which a flow began, though others are in force by now", () => {
  const { books, flows, workers: [one, two] } = open();
  flows.want(true);
  live(one.tcp, { rule: 0, ending: BLOCKED });
  for (let generation = 2; generation < 6; generation++) {
    const memory = books.begin({ generation, rules: ["other"], otherwise: "default" });
    for (const { totals, tcp } of [one, two]) {
      totals.adopt(memory);
      totals.forgetPast([tcp.columns]);
    }
  }
  assert.equal(flows.read()?.rule, "ads");
});

Deno.test("Flows of a worker that has failed have their line too, and their names are free again", () => {
  const { memory, books, flows, workers: [one] } = open();
  flows.want(true);
  one.tcp.open(0, 1, sockaddr("10.0.0.1:1000"), 0, 0);
  one.tcp.named(0, new TextEncoder().encode("a.example"), 9);
  salvage(0, memory.ledgers[0], books);
  const { name, ending } = flows.read()!;
  assert.deepEqual([name, ending], ["a.example", "lost"]);
  assert.equal(LOST, 8);
});
