import assert from "node:assert/strict";
import { matches, Traffic } from "../../../../src/cli/watch/traffic.ts";
import { flow } from "./support.ts";

Deno.test("rates come from two looks; what an old flow had carried before counts as total alone", () => {
  const traffic = new Traffic();
  traffic.look([flow("a", { bytesDown: 5000, bytesUp: 100 })], 10_000);
  assert.deepEqual(traffic.flows().map(({ down, up }) => [down, up]), [[0, 0]]);
  assert.equal(traffic.devices()[0].total, 5100);
  traffic.look([flow("a", { bytesDown: 9000, bytesUp: 300 })], 12_000);
  assert.deepEqual(traffic.flows().map(({ down, up }) => [down, up]), [[2000, 100]]);
  assert.equal(traffic.devices()[0].total, 9300);
  assert.deepEqual(traffic.devices()[0].history, [0, 2100]);
});

Deno.test("a flow that came between two looks is rated at once", () => {
  const traffic = new Traffic();
  traffic.look([], 10_000);
  traffic.look([flow("a", { started: 10_500, bytesDown: 3000 })], 11_000);
  assert.equal(traffic.flows()[0].down, 3000);
  // One that is older, and was not shown before, carried its bytes nobody knows when.
  traffic.look([flow("a", { started: 10_500, bytesDown: 3000 }), flow("b", { bytesDown: 1e9 })], 12_000);
  assert.equal(traffic.flows()[1].down, 0);
});

Deno.test("a flow that has ended is shown for a minute, without a rate, and its device stays", () => {
  const traffic = new Traffic();
  traffic.look([], 0);
  traffic.look([flow("a", { bytesDown: 1000 })], 1000);
  traffic.look([], 2000);
  assert.deepEqual(traffic.flows().map(({ down, ended }) => [down, ended]), [[0, 2000]]);
  const [device] = traffic.devices();
  assert.deepEqual([device.flows, device.down, device.total, device.history], [0, 0, 1000, [1000, 0]]);
  traffic.look([], 63_000);
  assert.deepEqual(traffic.flows(), []);
  assert.equal(traffic.devices().length, 1);
});

Deno.test("devices and rules are sums over their flows, with the place to which most goes", () => {
  const traffic = new Traffic();
  const flows = (bytes: number) => [
    flow("a", { bytesDown: bytes, name: "video.example.net" }),
    flow("b", { client: "2001:db8::7", bytesUp: 2 * bytes, rule: "work" }),
    flow("c", { device: "tv", bytesDown: bytes / 10 }),
  ];
  traffic.look(flows(0), 0);
  traffic.look(flows(1000), 1000);
  const [laptop, tv] = traffic.devices();
  assert.deepEqual([laptop.name, laptop.flows, laptop.addresses, laptop.down, laptop.up], [
    "laptop",
    2,
    2,
    1000,
    2000,
  ]);
  assert.deepEqual([laptop.top, tv.top], ["203.0.113.9", "203.0.113.9"]);
  assert.deepEqual(traffic.rules().map(({ name, total }) => [name, total]), [["default", 1100], [
    "work",
    2000,
  ]]);
});

Deno.test("a filter is words, each of which a flow must have somewhere", () => {
  const one = flow("a", { name: "Video.example.net", upstream: "office" });
  for (const filter of ["", "video", "LAPTOP 443", "tcp4 office", "192.168.1", "203.0.113.9 open"]) {
    assert.ok(matches(one, filter), filter);
  }
  for (const filter of ["tcp6", "laptop tv", "direct"]) assert.ok(!matches(one, filter), filter);
});
