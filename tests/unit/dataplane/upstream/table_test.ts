/** Routes and the upstreams that they lead to. */
import assert from "node:assert/strict";
import { ECONNREFUSED } from "../../../../ffi/consts.ts";
import { makeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import type { WhenDown } from "../../../../src/config/upstreams/types.ts";
import { policyOf } from "../../../../src/dataplane/context.ts";
import { DirectUpstream } from "../../../../src/dataplane/upstream/direct.ts";
import { DOWN, UP } from "../../../../src/dataplane/upstream/health.ts";
import type { UpstreamSettings } from "../../../../src/dataplane/upstream/settings.ts";
import { DIRECT, UpstreamTable } from "../../../../src/dataplane/upstream/table.ts";
import type { Call } from "../../../../src/dataplane/upstream/upstream.ts";
import { compilePolicy } from "../../../../src/policy/compile.ts";
import { SessionBench } from "../support/session_bench.ts";
import { forwardConfig, policyConfig } from "./upstream_config.ts";

const FORWARD = { type: "forward", header: null, source: "router" } as const;

function forward(name: string, place: number): UpstreamSettings {
  return { name, place, fall: 3, addresses: [makeSockaddr()], protocol: FORWARD };
}

function policy(upstreams: readonly string[], whenDown: WhenDown = "block") {
  const rules = upstreams.map((name) => ({ name, action: "proxy", upstream: name, whenDown } as const));
  const known = Object.fromEntries(upstreams.map((name) => [name, forwardConfig()]));
  return policyOf(compilePolicy(policyConfig({ rules, upstreams: known }), 1));
}

Deno.test("UpstreamTable has those of policy and settings, and nothing goes direct for lack of one", () => {
  using bench = new SessionBench();
  const { context } = bench;
  const table = new UpstreamTable(context, new DirectUpstream(context));
  const names = () => [DIRECT, 2, 3, 4, -1].map((route) => table.of(route).name);
  assert.deepEqual(names(), ["direct", "none", "none", "none", "none"]);
  context.policy = policy(["office", "home"]); // ways: that of the default is the first
  assert.deepEqual(names(), ["direct", "none", "none", "none", "none"]);
  context.settings = { ...context.settings, upstreams: [forward("office", 0), forward("home", 1)] };
  assert.deepEqual(names(), ["direct", "office", "home", "none", "none"]);
  const home = table.of(3);
  assert.equal(table.of(3), home, "made once");
  context.policy = policy(["home"]);
  context.settings = { ...context.settings, upstreams: [forward("home", 1)] };
  assert.deepEqual(names(), ["direct", "home", "none", "none", "none"]);
  assert.equal(table.of(-1).dial({} as Call), -ECONNREFUSED);
});

Deno.test("UpstreamTable leads flows direct when all is down, and only where that is written", () => {
  using bench = new SessionBench({ logLevel: "warn" });
  const { context } = bench;
  const table = new UpstreamTable(context, new DirectUpstream(context));
  for (const [place, whenDown] of (["block", "direct"] as const).entries()) {
    context.settings = { ...context.settings, upstreams: [forward("office", place)] };
    context.policy = policy(["office"], whenDown);
    context.health.setState(place, DOWN);
    assert.equal(table.of(2).name, whenDown === "direct" ? "direct" : "office");
    assert.equal(table.of(2).isDirect({ member: 0 } as Call), whenDown === "direct");
    context.health.setState(place, UP);
    assert.equal(table.of(2).name, "office");
  }
  assert.equal(bench.lines.filter((line) => line.includes("no upstream is up: flows go direct")).length, 1);
});
