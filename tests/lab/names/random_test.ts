/** Random rules with names and random flows: each ends as a person reads the rules, in ten lines. */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import {
  makeFlows,
  randomFlow,
  randomRule,
  readRules,
  seenEnd,
  serveFlows,
  TCP_KINDS,
} from "../../laboratory/names/random_flows.ts";
import { startDataplaneProgram } from "../../laboratory/proxy/dataplane.ts";
import { startMicrosocks } from "../../laboratory/upstreams/proxies.ts";
import { labTest } from "../../laboratory/register.ts";
import { Random } from "../../laboratory/proxy/policies.ts";

const PORT = 1080;
const ACTIONS = ["block", "direct", "proxy"] as const;
const POLICIES = 20;
const FLOWS = 8;

labTest(
  "Random flows end as random rules with names say",
  { programs: ["python3", "microsocks"] },
  async (lab) => {
    await serveFlows(lab);
    await startMicrosocks(lab, { port: PORT, asks: false });
    const dataplane = await startDataplaneProgram(lab);
    const counts: Record<string, number> = {};
    for (let seed = 0; seed < POLICIES; seed++) {
      const random = new Random(seed);
      const rules = Array.from({ length: 1 + random.below(4) }, (_, i) => randomRule(random, i, ACTIONS));
      const otherwise = random.one(ACTIONS);
      await dataplane.adopt({
        rules,
        default: otherwise,
        ...otherwise === "proxy" ? { "default-upstream": "office" } : {},
        upstreams: { office: { type: "socks5", address: `${ADDRESSES[4].server}:${PORT}` } },
      });
      const flows = Array.from({ length: FLOWS }, () => randomFlow(random, TCP_KINDS, 0));
      const ends = await makeFlows(lab, flows);
      for (const [i, flow] of flows.entries()) {
        const said = readRules(rules, otherwise, flow);
        counts[said.action] = (counts[said.action] ?? 0) + 1;
        assert.equal(ends[i], seenEnd(said), JSON.stringify({ seed, flow, rules, otherwise }));
      }
    }
    for (const end of ACTIONS) assert.ok(counts[end] > 20, JSON.stringify(counts));
    const { counters } = await dataplane.count();
    assert.ok(
      counters.sniffTls > 5 && counters.sniffHttp > 5 && counters.sniffNone > 5,
      JSON.stringify(counters),
    );
  },
);
