/** Places of upstreams in shared memory. */
import assert from "node:assert/strict";
import { Places } from "../../../../src/daemon/upstreams/places.ts";
import { MOST_UPSTREAMS } from "../../../../src/dataplane/upstream/health.ts";

const IDLE = { connections: () => 0 };
const of = (...pairs: [string, string][]) => new Map(pairs);

Deno.test("An upstream keeps its place, another of its name gets one of its own", () => {
  const places = new Places();
  const first = of(["a", "x"], ["b", "y"]);
  assert.deepEqual(places.adopt(first, places.choose(first, IDLE)), [0, 1]);
  const second = of(["b", "y"], ["a", "z"]);
  const chosen = places.choose(second, IDLE);
  assert.deepEqual([...chosen], [["b", 1], ["a", 2]]);
  assert.deepEqual([...places.choose(second, IDLE)], [...chosen], "a choice changes nothing");
  assert.deepEqual(places.adopt(second, chosen), [2]);
});

Deno.test("A place with connections of one that has gone is nobody else's", () => {
  const places = new Places();
  const busy = { connections: (place: number) => place === 0 ? 1 : 0 };
  const first = of(["a", "x"]);
  places.adopt(first, places.choose(first, IDLE));
  const none = of();
  places.adopt(none, places.choose(none, busy));
  assert.equal(places.choose(of(["b", "y"]), busy).get("b"), 1);
  assert.equal(places.choose(of(["b", "y"]), IDLE).get("b"), 0);
});

Deno.test("More upstreams than there are places are refused", () => {
  const many = of(...Array.from({ length: MOST_UPSTREAMS + 1 }, (_, i): [string, string] => [`u${i}`, ""]));
  assert.throws(() => new Places().choose(many, IDLE), /more than 256/);
});
