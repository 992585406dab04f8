import assert from "node:assert/strict";
import { allocateLedger } from "../../../../src/dataplane/shared/columns.ts";
import { CLOSED } from "../../../../src/dataplane/shared/endings.ts";
import { type LedgerRow, readLedger } from "../../../../src/dataplane/shared/read_ledger.ts";
import { Totals, UNDECIDED } from "../../../../src/dataplane/shared/totals.ts";
import { formatEndpoint } from "../../../../src/net/ip.ts";
import { sockaddr } from "../support/addresses.ts";
import { testFlows, testLedger } from "../support/test_ledger.ts";

const WRITER = new URL("../support/ledger_writer.ts", import.meta.url);

Deno.test("readLedger() tells all that is known of each live session", () => {
  const { ledger, memory, flows } = testLedger(4);
  ledger.open(2, 0xfffffff0 | 0, sockaddr("10.0.0.1:1000"), 0, 1234);
  assert.deepEqual(
    [...readLedger(memory, flows.names)].map(({ client, ...row }) => [formatEndpoint(client), row]),
    [[
      "10.0.0.1:1000",
      {
        slot: 2,
        tag: 0xfffffff0,
        stage: 0,
        destination: null,
        upstream: null,
        generation: 1,
        rule: UNDECIDED,
        carrier: 0,
        name: null,
        connectMs: -1,
        started: 1234,
        bytesUp: 0,
        bytesDown: 0,
        clientFd: -1,
        upstreamFd: -1,
      },
    ]],
  );
  ledger.client(2, 7);
  ledger.destination(2, sockaddr("[2001:db8::1]:443"), 0);
  ledger.upstream(2, 8, sockaddr("192.0.2.1:1080"), 0);
  ledger.decided(2, 1);
  ledger.through(2, 3);
  ledger.named(2, new TextEncoder().encode("a.example"), 9);
  ledger.stage(2, 3);
  ledger.bytes[4] += 10;
  ledger.bytes[5] += 20;
  const [row] = readLedger(memory, flows.names);
  assert.deepEqual(
    [
      formatEndpoint(row.destination!),
      formatEndpoint(row.upstream!),
      row.rule,
      row.carrier,
      row.name,
      row.stage,
    ],
    ["[2001:db8::1]:443", "192.0.2.1:1080", 1, 3, "a.example", 3],
  );
  assert.deepEqual([row.clientFd, row.upstreamFd, row.bytesUp, row.bytesDown], [7, 8, 10, 20]);
  ledger.end(2, CLOSED);
  assert.deepEqual([...readLedger(memory, flows.names)], []);
});

Deno.test("readLedger() counts the bytes of each session apart, though a row's only grow", () => {
  const { ledger, memory, flows } = testLedger(1);
  for (let tag = 1; tag <= 3; tag++) {
    ledger.open(0, tag, sockaddr("10.0.0.1:1000"), 0, 0);
    ledger.bytes[0] += 5 * tag;
    assert.deepEqual([...readLedger(memory, flows.names)].map(({ bytesUp }) => bytesUp), [5 * tag]);
    assert.equal(ledger.columns.sumBytes().up, [5, 15, 30][tag - 1]);
    ledger.end(0, CLOSED);
  }
  assert.equal(ledger.columns.sumBytes().up, 30, "also of sessions that have ended");
});

/** Tells that all of a row is of one session of the writer. */
function isWhole({ tag, client, destination, upstream, started, clientFd, upstreamFd }: LedgerRow): boolean {
  const words = [client, destination, upstream].flatMap((endpoint) =>
    endpoint === null ? [] : [endpoint.port, endpoint.address.bytes[0] | (endpoint.address.bytes[1] << 8)]
  );
  const network = ((tag & 0xff) << 8) | (tag >> 8);
  return started === tag && [tag, -1].includes(clientFd) && [tag, -1].includes(upstreamFd) &&
    words.every((word, i) => word === (i % 2 === 0 ? network : tag));
}

Deno.test("readLedger() never gives a torn row while another thread writes as fast as it can", async () => {
  const rows = 8;
  const memory = allocateLedger(rows);
  const totals = new Totals({ generation: 1, rules: 0, upstreams: 0, workers: 1 });
  const flows = testFlows();
  const enough = new Int32Array(new SharedArrayBuffer(4));
  const writer = new Worker(WRITER, { type: "module" });
  const said = () => new Promise((resolve) => writer.onmessage = ({ data }) => resolve(data));
  const ready = said();
  writer.postMessage({ memory, totals: totals.memory, flows, enough, rows });
  await ready;
  let read = 0;
  const tags = new Set<number>();
  const torn: LedgerRow[] = [];
  for (const end = performance.now() + 1000; performance.now() < end;) {
    for (const row of readLedger(memory, flows.names)) {
      read++;
      tags.add(row.tag);
      if (!isWhole(row)) torn.push(row);
    }
  }
  const ended = said();
  Atomics.store(enough, 0, 1);
  await ended;
  writer.terminate();
  assert.deepEqual(torn.slice(0, 3), [], `${torn.length} torn rows of ${read}`);
  assert.ok(read > 1000 && tags.size > 100, `${read} rows were read, of ${tags.size} sessions`);
});
