import assert from "node:assert/strict";
import { parseConfig } from "../../../src/config/load.ts";
import { compilePolicy } from "../../../src/policy/compile.ts";
import { coversAll } from "../../../src/policy/conditions.ts";
import { placeInterfaces } from "../../../src/policy/image.ts";
import { MATCHES, Policy } from "../../../src/policy/policy.ts";
import { flowOf } from "../../laboratory/proxy/decided.ts";
import { Random, randomPacket, randomPolicy } from "../../laboratory/proxy/policies.ts";

const rule = (text: string) => parseConfig(`rules: [{ action: block, ${text} }]`, "policy").rules[0];

Deno.test("coversAll() compares what both rules ask for", () => {
  const covers = (outer: string, inner: string) => coversAll(rule(outer), rule(inner));
  assert.ok(covers("", "from: [10.0.0.0/8], protocol: tcp"), "no condition covers all");
  assert.ok(!covers("protocol: tcp", ""), "a condition does not cover what has none");
  assert.ok(covers('ports: ["1-100", 443]', 'ports: ["20-30", 443]'));
  assert.ok(!covers('ports: ["1-100"]', 'ports: ["20-101"]'));
  assert.ok(covers("in: [a, b]", "in: [b]") && !covers("in: [b]", "in: [a, b]"));
  assert.ok(covers("from: [10.0.0.0/9, 10.128.0.0/9]", "from: [10.0.0.0/8]"), "two networks that touch");
  assert.ok(!covers("from: [10.1.0.0/16]", "from: [10.0.0.0/8]"), "begins before");
  assert.ok(!covers("from: [10.0.0.0/16]", "from: [10.0.0.0/8]"), "ends behind");
  assert.ok(!covers("to: [10.0.0.0/8]", "to: [10.0.0.0/8, fd00::/8]"), "the other family");
  assert.ok(!covers("to: [10.0.0.0/8]", "to: [11.0.0.0/8]"), "behind the last");
});

Deno.test("coversAll() is never wrong, for random rules and flows", () => {
  const links = ["r0", "r2"];
  let covered = 0;
  for (let seed = 0; seed < 3000; seed++) {
    const random = new Random(seed);
    const text = randomPolicy(random, { links, deliverPorts: [3129] });
    const { rules } = parseConfig(JSON.stringify(text), "policy");
    if (rules.length < 2) continue;
    const [outer, inner] = rules;
    if (!coversAll(outer, inner)) continue;
    covered++;
    const image = compilePolicy(parseConfig(JSON.stringify(text), "policy"), 1);
    placeInterfaces(image, new Map([["r0", 1], ["r2", 2]]));
    const policy = new Policy(image);
    for (let packet = 0; packet < 200; packet++) {
      const flow = flowOf(randomPacket(random, links), links);
      if (policy.examine(1, flow) !== MATCHES) continue;
      assert.equal(
        policy.examine(0, flow),
        MATCHES,
        JSON.stringify({ seed, outer: text.rules[0], inner: text.rules[1] }),
      );
    }
  }
  assert.ok(covered > 100, `${covered}`);
});
