/** Routes and the upstreams that they lead to. */
import assert from "node:assert/strict";
import { ECONNREFUSED } from "../../../../ffi/consts.ts";
import { DirectUpstream } from "../../../../src/dataplane/upstream/direct.ts";
import type { UpstreamSettings } from "../../../../src/dataplane/upstream/settings.ts";
import { DIRECT, NOWHERE, UpstreamTable } from "../../../../src/dataplane/upstream/table.ts";
import type { Call } from "../../../../src/dataplane/upstream/upstream.ts";
import { SessionBench } from "../support/session_bench.ts";

function forward(name: string): UpstreamSettings {
  return { name, addresses: [], protocol: { type: "forward", header: null } };
}

Deno.test("UpstreamTable has those of the settings in force, and nothing goes direct for lack of one", () => {
  using bench = new SessionBench();
  const { context } = bench;
  const direct = new DirectUpstream(context);
  const table = new UpstreamTable(context, direct);
  const names = () => [DIRECT, 1, 2, NOWHERE].map((route) => table.of(route).name);
  assert.deepEqual(names(), ["direct", "none", "none", "none"]);
  context.settings = { ...context.settings, upstreams: [forward("office"), forward("home")] };
  assert.deepEqual(names(), ["direct", "office", "home", "none"]);
  const home = table.of(2);
  assert.equal(table.of(2), home, "made once");
  context.settings = { ...context.settings, upstreams: [forward("home")] };
  assert.deepEqual(names(), ["direct", "home", "none", "none"]);
  assert.equal(table.of(NOWHERE).dial({} as Call), -ECONNREFUSED);
});
