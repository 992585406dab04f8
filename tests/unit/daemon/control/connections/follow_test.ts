import assert from "node:assert/strict";
import { followConnections } from "../../../../../src/daemon/control/connections/follow.ts";
import { CLOSED, RESET } from "../../../../../src/dataplane/shared/endings.ts";
import { DIALLING, OPEN } from "../../../../../src/dataplane/tcp/stage_numbers.ts";
import { begin, openBooks } from "../support/books.ts";

const DEVICES = { current: () => Promise.resolve(() => ({ name: null, mac: null })) };
const FLOW = { client: "10.0.0.1:1000", destination: "203.0.113.9:443" };

interface Event {
  readonly event: string;
  readonly id: string;
  readonly ending?: string | null;
}

/** Follows books; `next` gives so many events or some more. */
function follow() {
  const { books, tcp } = openBooks(8);
  const gone = new AbortController();
  const parts = () =>
    followConnections({ changes: () => books.changes(), endedFlows: books.ended }, DEVICES, gone.signal);
  const next = async (from: AsyncGenerator<string>, count = 1): Promise<string[]> => {
    const events: string[] = [];
    while (events.length < count) {
      const { value: part } = await from.next() as IteratorYieldResult<string>;
      for (const line of part.split("\n").filter((text) => text !== "")) {
        const { event, id, ending } = JSON.parse(line) as Event;
        events.push([event, id, ...ending === undefined ? [] : [ending]].join(" "));
      }
    }
    return events;
  };
  return { books, tcp, gone, parts, next };
}

Deno.test("each flow that is open is told once, and its end once, also to who reads them otherwise", async () => {
  const { books, tcp, gone, parts, next } = follow();
  books.ended.want(true);
  begin(tcp, { slot: 0, ...FLOW });
  const [one, other] = [parts(), parts()];
  for (const from of [one, other]) {
    assert.equal((await from.next()).value, "", "what lived before is no news");
  }
  begin(tcp, { slot: 1, ...FLOW });
  begin(tcp, { slot: 2, ...FLOW });
  tcp.stage(2, DIALLING);
  for (const from of [one, other]) assert.deepEqual(await next(from), ["open t0.1.2"]);
  tcp.stage(2, OPEN);
  tcp.end(0, RESET);
  tcp.end(1, CLOSED);
  begin(tcp, { slot: 3, ...FLOW });
  tcp.end(3, CLOSED);
  const news = ["open t0.2.3", "close t0.0.1 reset", "close t0.1.2 closed", "close t0.3.4 closed"];
  for (const from of [one, other]) assert.deepEqual(await next(from, news.length), news);
  assert.deepEqual([books.ended.read(), books.ended.read()].map((flow) => flow?.key.slot), [0, 1]);
  assert.equal(books.ended.skip(), 1);
  assert.equal(books.ended.missed(), 0);
  tcp.end(2, CLOSED);
  assert.equal(books.ended.read()?.key.slot, 2, "read before anybody has pumped");
  for (const from of [one, other]) assert.deepEqual(await next(from), ["close t0.2.3 closed"]);
  gone.abort();
  for (const from of [one, other]) assert.ok((await from.next()).value !== "x");
  await one.return(undefined);
  await other.return(undefined);
});

Deno.test("who follows goes on hearing of ends when the reader stops, and nobody is written for afterwards", async () => {
  const { books, tcp, gone, parts, next } = follow();
  books.ended.want(true);
  const from = parts();
  await from.next();
  books.ended.want(false);
  begin(tcp, { slot: 0, ...FLOW });
  tcp.end(0, CLOSED);
  assert.deepEqual(await next(from), ["close t0.0.1 closed"]);
  assert.equal(books.ended.read(), undefined, "nobody reads");
  gone.abort();
  await from.return(undefined);
  begin(tcp, { slot: 1, ...FLOW });
  tcp.end(1, CLOSED);
  assert.equal(books.ended.skip(), 0, "it was written for nobody");
});

Deno.test("an end that found no place in the ring is told without words", async () => {
  const { tcp, gone, parts, next } = follow();
  const from = parts();
  await from.next();
  begin(tcp, { slot: 0, ...FLOW });
  assert.deepEqual(await next(from), ["open t0.0.1"]);
  for (let flow = 0; flow < 1024; flow++) { // as many as a ring has places
    begin(tcp, { slot: 1, ...FLOW });
    tcp.end(1, CLOSED);
  }
  tcp.end(0, RESET);
  const told: string[] = [];
  while (!told.includes("close t0.0.1 ")) told.push(...await next(from));
  assert.equal(told.filter((event) => event.startsWith("close t0.1.")).length, 1024);
  gone.abort();
  await from.return(undefined);
});
