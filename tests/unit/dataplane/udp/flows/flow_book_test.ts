import assert from "node:assert/strict";
import { FlowBook, HELD, MOST, PLAIN } from "../../../../../src/dataplane/udp/flows/flow_book.ts";
import { sockaddr } from "../../support/addresses.ts";

/** A client and a server, one behind the other. */
function ends(client: string, server: string): Int32Array {
  return new Int32Array([...sockaddr(client), ...sockaddr(server)]);
}

const CLIENT = "10.0.0.9:4000";
const server = (i: number) => `192.0.2.${i >> 8}:${1000 + (i & 255)}`;

Deno.test("FlowBook knows a flow by the client's and the server's endpoint", () => {
  const book = new FlowBook();
  const flows = [
    ends(CLIENT, "192.0.2.1:443"),
    ends(CLIENT, "192.0.2.1:444"),
    ends("10.0.0.9:4001", "192.0.2.1:443"),
    ends("[2001:db8::9]:4000", "[2001:db8::1]:443"),
    ends("[2001:db8::9]:4000", "[2001:db8::2]:443"),
  ];
  const numbers = flows.map((words) => book.add(words, 0, 8, 1));
  assert.equal(new Set(numbers).size, flows.length);
  assert.deepEqual(flows.map((words) => book.find(words, 0, 8)), numbers);
  numbers.forEach((flow) => assert.equal(book.states[flow], PLAIN));
  book.remove(numbers[1]);
  assert.deepEqual(flows.map((words) => book.find(words, 0, 8)), numbers.with(1, -1));
  assert.equal(book.size, 4);
});

Deno.test("FlowBook keeps the 64 flows of a client endpoint that it has used last, and all of others", () => {
  const book = new FlowBook();
  const other = ends("10.0.0.8:1", "192.0.2.1:1");
  book.add(other, 0, 8, 0);
  for (let i = 0; i < 64; i++) book.add(ends(CLIENT, server(i)), 0, 8, 1);
  book.touch(book.find(ends(CLIENT, server(0)), 0, 8), 2);
  book.add(ends(CLIENT, server(64)), 0, 8, 3);
  const known = [0, 1, 2, 63, 64].map((i) => book.find(ends(CLIENT, server(i)), 0, 8) >= 0);
  assert.deepEqual(known, [true, false, true, true, true]);
  assert.ok(book.find(other, 0, 8) >= 0);
});

Deno.test("FlowBook does not forget a flow that waits for its name", () => {
  const book = new FlowBook();
  const flows = Array.from({ length: 64 }, (_, i) => book.add(ends(CLIENT, server(i)), 0, 8, 1));
  book.states[flows[0]] = HELD;
  assert.equal(book.add(ends(CLIENT, server(64)), 0, 8, 2), -1);
  assert.equal(book.find(ends(CLIENT, server(0)), 0, 8), flows[0]);
});

Deno.test("FlowBook lets no client push out the flows of others, however many it begins", () => {
  const book = new FlowBook();
  const others = Array.from({ length: 100 }, (_, i) => ends(`10.0.1.${i}:4000`, "192.0.2.1:443"));
  for (const words of others) book.add(words, 0, 8, 1);
  const flood = ends(CLIENT, server(0));
  for (let i = 0; i < MOST + 1000; i++) {
    flood[0] = (flood[0] & 0xffff) | (i << 16);
    flood[9] = i >> 16;
    book.add(flood, 0, 8, 2);
  }
  assert.equal(book.size, MOST);
  for (const words of others) assert.ok(book.find(words, 0, 8) >= 0);
  assert.ok(book.find(flood, 0, 8) >= 0, "the newest of its own are known");
  const late = ends("10.0.2.1:4000", "192.0.2.1:443");
  assert.ok(book.add(late, 0, 8, 3) >= 0);
  book.expire(10);
  assert.equal(book.size, 0);
});

Deno.test("FlowBook.expire() forgets what was silent, and no more", () => {
  const book = new FlowBook();
  for (let i = 0; i < 300; i++) book.add(ends(`10.0.0.9:${i}`, server(i)), 0, 8, i);
  book.touch(book.find(ends("10.0.0.9:10", server(10)), 0, 8), 299);
  book.expire(250);
  assert.equal(book.size, 51);
  assert.ok(book.find(ends("10.0.0.9:10", server(10)), 0, 8) >= 0);
  assert.equal(book.find(ends("10.0.0.9:249", server(249)), 0, 8), -1);
  book.expire(1000);
  assert.equal(book.size, 0);
});

Deno.test("FlowBook agrees with a Map, whatever comes and goes", () => {
  const book = new FlowBook();
  const model = new Map<string, number>();
  for (let round = 0; round < 5000; round++) {
    const client = `10.0.0.9:${Math.floor(Math.random() * 40)}`;
    const to = server(Math.floor(Math.random() * 50));
    const words = ends(client, to);
    const key = `${client} ${to}`;
    const flow = book.find(words, 0, 8);
    assert.equal(flow, model.get(key) ?? -1, key);
    if (flow < 0) model.set(key, book.add(words, 0, 8, round));
    else if (Math.random() < 0.5) {
      book.remove(flow);
      model.delete(key);
    } else book.touch(flow, round);
  }
  assert.equal(book.size, model.size);
  assert.equal(new Set(model.values()).size, model.size);
});
