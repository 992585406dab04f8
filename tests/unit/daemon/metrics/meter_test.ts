/** Over real books, whose sessions live and end. */
import assert from "node:assert/strict";
import { sinceEpoch } from "../../../../ffi/clock.ts";
import { Meter, type Metered } from "../../../../src/daemon/metrics/meter.ts";
import { Books } from "../../../../src/dataplane/shared/books.ts";
import { CLOSED, REFUSED } from "../../../../src/dataplane/shared/endings.ts";
import { bytesDown, bytesUp, Ledger } from "../../../../src/dataplane/shared/ledger.ts";
import { allocateMemory } from "../../../../src/dataplane/shared/memory.ts";
import { TCP } from "../../../../src/dataplane/shared/session_key.ts";
import { COUNTER } from "../../../../src/dataplane/shared/state.ts";
import { WorkerTotals } from "../../../../src/dataplane/shared/totals.ts";
import { sockaddr } from "../../dataplane/support/addresses.ts";

function open(rules: readonly string[], upstreams: readonly string[] = []) {
  const memory = allocateMemory({ workers: 1, connections: 8, udpSessions: 8 });
  const books = new Books(memory);
  const totals = new WorkerTotals(0, books.begin({ generation: 1, rules, otherwise: "default", upstreams }));
  const tcp = new Ledger(memory.ledgers[0].tcp, TCP, totals, memory.ledgers[0]);
  const metered: Metered = {
    build: { version: "1", commit: "c", deno: "2" },
    dataplane: {
      maxConnections: 8,
      maxUdpSessions: 8,
      account: () => books.account(),
      hits: () => books.hits(),
    },
    upstreams: {
      status: () => [
        { name: "office", state: "down", since: 0, reason: "", connections: 2, addresses: [] },
      ],
    },
    keeper: {
      inForce: false,
      healings: { table: 1, set: 0, chain: 0, rule: 0, "routing-rule": 0, route: 0 },
    },
    live: { unrelayed: () => ({ "tcp-md5": 1, "tcp-ao": 0, mptcp: 2 }) },
    reloads: { refusal: "no", since: 5 },
    lines: { heldBack: 3, lost: 4 },
    access: { leftOut: { overTheRate: 1, notReadInTime: 2 } },
    isDraining: () => true,
  };
  const begin = (slot: number, rule: number) => {
    tcp.open(slot, 1, sockaddr("10.0.0.1:1"), 0, 0);
    tcp.decided(slot, rule);
  };
  return { books, tcp, begin, meter: new Meter(metered) };
}

Deno.test("Meter reads rules, upstreams and traffic over live and ended flows, and what others have counted", () => {
  const { books, tcp, begin, meter } = open(["work"], ["office"]);
  books.state.row(0)[COUNTER.logsDropped] = 10;
  for (const [slot, ending] of [[0, CLOSED], [1, REFUSED], [2, undefined]]) {
    begin(slot!, 0);
    tcp.through(slot!, 1);
    tcp.bytes[bytesUp(slot!)] += 10;
    tcp.bytes[bytesDown(slot!)] += 1;
    if (ending !== undefined) tcp.end(slot!, ending);
  }
  const { rules, upstreams, traffic, kernel, reload, lines, isDraining, process } = meter.read();
  const [work, otherwise] = rules;
  assert.deepEqual(work, { name: "work", action: "direct", flows: 3, bytesUp: 30, bytesDown: 3 });
  assert.deepEqual([otherwise.name, otherwise.flows], ["default", 0]);
  assert.deepEqual(upstreams, [
    { name: "office", carried: 1, failed: 1, isUp: false, connections: 2, bytesUp: 30, bytesDown: 3 },
  ]);
  assert.deepEqual(traffic[0], { protocol: "tcp", family: "ipv4", bytesUp: 30, bytesDown: 3 });
  assert.deepEqual([kernel.inForce, kernel.healings.table, reload], [false, 1, {
    isRefused: true,
    since: sinceEpoch(5),
  }]);
  assert.deepEqual(lines, { heldBack: 3, lost: 14, access: { overTheRate: 1, notReadInTime: 2 } });
  assert.ok(
    isDraining && process.residentBytes > 1e6 && process.openDescriptors > 3,
    JSON.stringify(process),
  );
  assert.ok(process.cpuSeconds > 0 && process.started > 1.7e9 && process.started < Date.now() / 1000);
});

Deno.test("Meter's counts do not go back when a flow ends just between two looks at the books", () => {
  const { books, tcp, begin, meter } = open(["work"]);
  begin(0, 0);
  tcp.bytes[bytesUp(0)] += 10;
  const flows = () => {
    const { rules, traffic } = meter.read();
    return [rules[0].flows, rules[0].bytesUp, traffic[0].bytesUp];
  };
  assert.deepEqual(flows(), [1, 10, 10]);
  const totals = books.totals.bind(books);
  books.totals = () => {
    const before = totals();
    if (tcp.columns.tag[0] !== 0) tcp.end(0, CLOSED); // ended neither, nor live any more
    return before;
  };
  assert.deepEqual(flows(), [1, 10, 10]);
  assert.deepEqual(flows(), [1, 10, 10]);
  begin(0, 0);
  books.totals = totals;
  assert.deepEqual(flows(), [2, 10, 10]);
});

Deno.test("Meter has a name that two rules share once", () => {
  const { meter, begin } = open(["work", "default", "work"]);
  begin(0, 2);
  assert.deepEqual(meter.read().rules.map(({ name, flows }) => [name, flows]), [["work", 1], ["default", 0]]);
});
