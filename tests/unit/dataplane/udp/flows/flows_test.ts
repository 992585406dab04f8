/** Flows whose names are read, or that have none, also while somebody has as many wait as may wait. */
import assert from "node:assert/strict";
import { parseConfig } from "../../../../../src/config/load.ts";
import { policyOf } from "../../../../../src/dataplane/context.ts";
import { Decider } from "../../../../../src/dataplane/decider.ts";
import { COUNTER } from "../../../../../src/dataplane/shared/state.ts";
import { makeSolo } from "../../../../../src/dataplane/solo.ts";
import { UdpFlows } from "../../../../../src/dataplane/udp/flows/flows.ts";
import { MOST_READINGS } from "../../../../../src/dataplane/udp/flows/name_readings.ts";
import { BLOCKED_DATAGRAM, LOST_DATAGRAM } from "../../../../../src/dataplane/udp/sessions.ts";
import { createLogger } from "../../../../../src/log.ts";
import { compilePolicy } from "../../../../../src/policy/compile.ts";
import { buildNameSets } from "../../../../../src/policy/name_sets.ts";
import { recorded } from "../../../sniff/recordings.ts";
import { testSettings } from "../../support/session_bench.ts";
import { arrivalOf } from "./arrivals.ts";

const RULES = {
  default: "direct",
  upstreams: { office: { type: "socks5", address: "127.0.0.1:9" } },
  rules: [
    { name: "blocked", domains: [".recorded.example"], action: "block" },
    { name: "work", domains: [".office.example"], action: "proxy", upstream: "office" },
  ],
};

/** The flows of a worker; those that go on without a name, and those that are refused, are counted. */
function makeFlows(otherwise = "direct") {
  const { context, books } = makeSolo({
    log: createLogger({ level: "error", format: "text", write: () => {} }),
    settings: testSettings(),
  });
  const config = parseConfig(JSON.stringify({ ...RULES, default: otherwise }), "rules");
  const { images } = buildNameSets(config, new Map(), Int32Array.of(1, 2));
  context.policy = policyOf(compilePolicy(config, 1, images));
  const seen = { passed: 0, refused: 0 };
  const sessions = { use: () => seen.passed++, ignoreAnswer: () => {} };
  const links = {
    refuse: (queue: { clear(): void }) => {
      seen.refused++;
      queue.clear();
    },
    associations: { turn: () => {}, timeout: () => -1 },
  };
  const parts = { table: {}, sessions, links, decider: new Decider(context), answers: null, router: null };
  return { flows: new UdpFlows(context, parts as never), seen, counters: context.counters, books, context };
}

Deno.test("No flow goes on without its name because too many wait: its client says it once more", () => {
  const { flows, seen, counters } = makeFlows();
  const [half] = recorded("quic-chromium");
  const [whole] = recorded("quic-deno");
  const extra = 300;
  for (let i = 0; i < MOST_READINGS + extra; i++) {
    assert.equal(flows.lead(arrivalOf(half, 0, `10.0.0.9:${1000 + i}`)), LOST_DATAGRAM);
  }
  assert.equal(seen.passed, 0);
  assert.equal(counters[COUNTER.udpDropped], extra);
  // Another client's flow is read at once.
  assert.equal(flows.lead(arrivalOf(whole, 0, "10.0.0.8:1")), LOST_DATAGRAM);
  flows.turn(() => seen.passed++);
  assert.deepEqual(seen, { passed: 0, refused: 1 });
});

Deno.test("A flow that is blocked since it has no name is in the books, once", () => {
  const { flows, counters, books, context } = makeFlows("block");
  context.totals.adopt(books.begin({ generation: 1, rules: ["blocked", "work"], otherwise: "default" }));
  books.ended.want(true);
  const words = new TextEncoder().encode("hello");
  for (let i = 0; i < 3; i++) assert.equal(flows.lead(arrivalOf(words)), BLOCKED_DATAGRAM);
  assert.equal(counters[COUNTER.udpRefused], 3);
  const { name, ending, rule, client } = books.ended.read()!;
  assert.deepEqual([name, ending, rule, client.port], [null, "blocked", "default", 4000]);
  assert.equal(books.ended.read(), undefined);
  assert.equal(flows.lead(arrivalOf(words, 0, "10.0.0.9:4001")), BLOCKED_DATAGRAM);
  assert.equal(books.ended.read()!.client.port, 4001);
});
