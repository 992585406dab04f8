import assert from "node:assert/strict";
import { parseConfig } from "../../../src/config/load.ts";
import { compilePolicy } from "../../../src/policy/compile.ts";
import { explain } from "../../../src/policy/explain.ts";
import { placeInterfaces } from "../../../src/policy/image.ts";
import { kernelShare } from "../../../src/policy/kernel_share.ts";
import type { Outcome } from "../../../src/policy/outcome.ts";
import { DEFAULT_RULE, NAME_NEEDED, NOT_INTERCEPTED, Policy } from "../../../src/policy/policy.ts";
import { flowOf } from "../../laboratory/proxy/decided.ts";
import { Random, randomPacket, type TestPacket } from "../../laboratory/proxy/policies.ts";
import { endOf, meets, randomNamedPolicy } from "./support/named_policies.ts";
import { combinations, nameIn, putName, testNameImages } from "./support/names.ts";

const LINKS = ["r0", "r2"];

/** Tells whether the kernel's outcome is an end. */
function agrees({ kind, ...more }: Outcome, end: string): boolean {
  const [action, silent, port] = end.split(",");
  if (kind === "pass") return action === "bypass";
  if (kind === "refuse") {
    return action === "block" && String((more as { silently: boolean }).silently) === silent;
  }
  return kind === "program" && action === "deliver" && String((more as { port: number }).port) === port;
}

Deno.test("kernel and evaluator end every flow as the oracle does, and wait only for names that matter", () => {
  const counts = new Map<string, number>();
  const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);
  for (let seed = 0; seed < 600; seed++) {
    const random = new Random(seed);
    const text = randomNamedPolicy(random, LINKS);
    const config = parseConfig(text, "policy");
    const image = compilePolicy(config, seed, testNameImages(config));
    placeInterfaces(image, new Map(LINKS.map((name, index) => [name, index + 1])));
    const policy = new Policy(image);
    const share = kernelShare(config, { lan: LINKS, families: config.intercept.families });
    const all = combinations(config);
    for (let tried = 0; tried < 40; tried++) {
      const packet = randomPacket(random, LINKS);
      if (packet.kind === "ack") continue;
      const flow = flowOf(packet, LINKS);
      if (policy.decide(flow) === NOT_INTERCEPTED) continue; // asked of the kernel by its own rule
      const said = (what: string) => `${what}: ${JSON.stringify({ seed, packet, config: JSON.parse(text) })}`;
      const ends = all.map((sets) => endOf(config, packet, sets));
      const isOpen = new Set(ends).size > 1;
      const { outcome } = share.rules.find(({ conditions }) => meets(conditions, packet)) ?? share.otherwise;
      count(`${outcome.kind}${isOpen ? " open" : ""}`);

      if (tried % 4 === 0) assert.deepEqual(explain(image, flow).outcome, outcome, said("explained"));
      const unasked = policy.decide(flow);
      assert.equal(unasked === NAME_NEEDED, isOpen, said("the evaluator waits exactly where a name matters"));
      if (unasked !== NAME_NEEDED) assert.equal(endFor(policy, unasked, packet), ends[0], said("unasked"));
      for (const [at, sets] of [...all, null].entries()) {
        putName(flow, sets === null ? null : nameIn(sets));
        const rule = policy.decide(flow);
        assert.ok(rule >= DEFAULT_RULE, said("asked"));
        assert.equal(endFor(policy, rule, packet), ends[sets === null ? 0 : at], said(`sets ${sets}`));
      }

      if (outcome.kind === "watch") {
        assert.ok(isOpen, said("watched, and no name changes anything"));
        assert.ok(ends.every((end) => /^(bypass|block)/.test(end)), said("watched, and it may not be"));
      } else if (outcome.kind === "proxy") {
        const relayed = ends.some((end) => /^(direct|proxy)/.test(end)) || isOpen;
        const watchable = ends.every((end) => /^(bypass|block)/.test(end));
        assert.ok(relayed && !watchable, said("the kernel could have decided or watched"));
      } else for (const end of ends) assert.ok(agrees(outcome, end), said(`${outcome.kind} is not ${end}`));
    }
  }
  for (
    const [kind, least] of Object.entries({
      "watch open": 300,
      "proxy open": 1000,
      "proxy": 1000,
      "pass": 1000,
      "refuse": 1000,
      "program": 300,
    })
  ) assert.ok((counts.get(kind) ?? 0) > least, `${kind}: ${JSON.stringify([...counts])}`);
});

/** The end that a rule's route says. */
function endFor(policy: Policy, rule: number, packet: TestPacket): string {
  const { action, silent, deliverPort, upstreams, whenDown } = policy.routeFor(rule, flowOf(packet, LINKS));
  const names = upstreams.map((number) => policy.upstreams[number]);
  return action === "proxy"
    ? `proxy ${names.join()} or ${whenDown}`
    : [action, silent, deliverPort === 0 ? undefined : deliverPort].join();
}
