import assert from "node:assert/strict";
import { parseConfig } from "../../../src/config/load.ts";
import { compilePolicy } from "../../../src/policy/compile.ts";
import { explain } from "../../../src/policy/explain.ts";
import { placeInterfaces } from "../../../src/policy/image.ts";
import { Policy, UNDECIDABLE } from "../../../src/policy/policy.ts";
import { flowOf } from "../../laboratory/proxy/decided.ts";
import { Random, randomPacket, randomPolicy } from "../../laboratory/proxy/policies.ts";

const PACKET = {
  family: "ipv4",
  from: "10.1.2.3",
  to: "192.0.2.1",
  port: 443,
  kind: "syn",
  link: "r0",
  mac: "02:00:00:00:00:01",
} as const;

Deno.test("explain() lists the rules passed over and why, and the one that decides", () => {
  const image = compilePolicy(
    parseConfig(
      `
rules:
  - { name: dns, action: block, protocol: udp }
  - { name: web, action: block, ports: [80] }
  - { name: guests, action: block, from: [10.2.0.0/16] }
  - { name: far, action: block, to: [198.51.100.0/24] }
  - { name: printer, action: block, mac: ["02:00:00:00:00:02"] }
  - { name: second, action: block, in: [r2] }
  - { name: home, action: bypass, from: [10.1.0.0/16] }
  - { name: never, action: block }`,
      "policy",
    ),
    1,
  );
  placeInterfaces(image, new Map([["r0", 1], ["r2", 2]]));
  const { passedOver, decision, why } = explain(image, flowOf(PACKET, ["r0", "r2"]));
  assert.deepEqual(passedOver.map(({ name, why }) => `${name}: ${why}`), [
    "dns: it is for the other protocol",
    "web: the port is not among its ports",
    "guests: the client is not in its networks",
    "far: the destination is not in its networks",
    "printer: the client's hardware address is not among its own",
    "second: the flow does not come through its interfaces",
  ]);
  assert.deepEqual([decision, why], [6, "rules[6] (home): bypass"]);
});

Deno.test("explain() says what is not known", () => {
  const config = parseConfig("rules: [{ name: printer, action: block, in: [r0] }]", "policy");
  const { decision, why } = explain(compilePolicy(config, 1), flowOf(PACKET, ["r0"]));
  assert.equal(decision, UNDECIDABLE);
  assert.equal(
    why,
    "rules[0] (printer) may match: nobody knows here through which interface the flow comes",
  );
});

Deno.test("explain() ends where Policy.decide() ends, for random policies and flows", () => {
  const links = ["r0", "r2"];
  for (let seed = 0; seed < 300; seed++) {
    const random = new Random(seed);
    const text = randomPolicy(random, { links, deliverPorts: [3129] });
    const image = compilePolicy(parseConfig(JSON.stringify(text), "policy"), 1);
    if (seed % 2 === 0) placeInterfaces(image, new Map([["r0", 1], ["r2", 2]]));
    const policy = new Policy(image);
    for (let packet = 0; packet < 20; packet++) {
      const flow = flowOf(randomPacket(random, links), links);
      const { decision, passedOver } = explain(image, flow);
      assert.equal(decision, policy.decide(flow), `seed ${seed}`);
      if (decision >= 0) assert.equal(passedOver.length, decision);
    }
  }
});
