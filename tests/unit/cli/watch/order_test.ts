import assert from "node:assert/strict";
import { CalmOrder } from "../../../../src/cli/watch/order.ts";

const values = (entries: Record<string, number>) => new Map(Object.entries(entries));

Deno.test("a row rises when it has been clearly greater for three looks, past all that are smaller", () => {
  const order = new CalmOrder();
  assert.deepEqual(order.arrange(values({ a: 30, b: 20, c: 10 })), ["a", "b", "c"]);
  const now = { a: 30, b: 20, c: 100 };
  assert.deepEqual(order.arrange(values(now)), ["a", "b", "c"]);
  assert.deepEqual(order.arrange(values(now)), ["a", "b", "c"]);
  assert.deepEqual(order.arrange(values(now)), ["c", "a", "b"]);
});

Deno.test("rows that are about the same, or greater for a moment, stay where they are", () => {
  const order = new CalmOrder();
  order.arrange(values({ a: 10, b: 9 }));
  for (let look = 0; look < 10; look++) {
    assert.deepEqual(order.arrange(values({ a: 10, b: look % 3 === 2 ? 9 : 50 })), ["a", "b"]);
  }
  for (let look = 0; look < 10; look++) assert.deepEqual(order.arrange(values({ a: 10, b: 11 })), ["a", "b"]);
});

Deno.test("rows that come are put where they belong, those that go leave no gap", () => {
  const order = new CalmOrder();
  order.arrange(values({ a: 30, b: 10 }));
  assert.deepEqual(order.arrange(values({ a: 30, b: 10, c: 20, d: 5 })), ["a", "c", "b", "d"]);
  assert.deepEqual(order.arrange(values({ b: 10, d: 5 })), ["b", "d"]);
  assert.deepEqual(order.arrange(new Map()), []);
});
