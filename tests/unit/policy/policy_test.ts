import assert from "node:assert/strict";
import { parseConfig } from "../../../src/config/load.ts";
import { parseIp } from "../../../src/net/ip.ts";
import { compilePolicy } from "../../../src/policy/compile.ts";
import { Flow, putAddress, putHardwareAddress } from "../../../src/policy/flow.ts";
import { placeInterfaces } from "../../../src/policy/image.ts";
import {
  DEFAULT_RULE,
  NAME_NEEDED,
  NOT_INTERCEPTED,
  Policy,
  UNDECIDABLE,
} from "../../../src/policy/policy.ts";
import { putName } from "./support/names.ts";
import { decider } from "../../laboratory/proxy/decided.ts";
import { evaluate, Random, randomPacket, randomPolicy } from "../../laboratory/proxy/policies.ts";

const LINKS = ["r0", "r2"];

Deno.test("Policy.decide() says what the plain evaluator says, for random policies and flows", () => {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < 1500; seed++) {
    const random = new Random(seed);
    const text = randomPolicy(random, { links: LINKS, deliverPorts: [3129, 3130] });
    const decide = decider(compilePolicy(parseConfig(JSON.stringify(text), "policy"), seed), LINKS);
    for (let packet = 0; packet < 40; packet++) {
      const tried = randomPacket(random, LINKS);
      if (tried.kind === "ack") continue;
      const expected = evaluate(text, tried);
      counts.set(expected, (counts.get(expected) ?? 0) + 1);
      assert.equal(decide(tried), expected, JSON.stringify({ seed, tried, text }, undefined, 1));
    }
  }
  // A run that never blocks or never delivers proves little.
  for (const outcome of ["proxy", "port 3129", "port 3130", "forwarded", "refused", "nowhere"]) {
    assert.ok((counts.get(outcome) ?? 0) > 1000, `${outcome}: ${counts.get(outcome)}`);
  }
});

function policyOf(yaml: string) {
  const image = compilePolicy(parseConfig(yaml, "policy"), 7);
  return { image, policy: new Policy(image) };
}

/** A flow of a socket: neither its interface nor its hardware address is known. */
function flow(destination = "192.0.2.1", port = 80): Flow {
  const flow = new Flow();
  const { bytes, family } = parseIp(destination)!;
  flow.protocol = 6;
  flow.ipv6 = family === "ipv6";
  putAddress(flow.client, parseIp(flow.ipv6 ? "fd00::1" : "10.0.0.1")!.bytes, 0, flow.ipv6);
  putAddress(flow.destination, bytes, 0, flow.ipv6);
  flow.destinationPort = port;
  return flow;
}

Deno.test("Policy.decide() is undecided where the flow does not know what the rule asks for", () => {
  const { image, policy } = policyOf(`
rules:
  - { action: block, in: [r0, r2], ports: [80] }
  - { action: bypass, mac: ["02:00:00:00:00:01"], ports: [81] }`);
  const asked = flow();
  assert.equal(policy.decide(asked), UNDECIDABLE, "no interface");
  assert.equal(policy.undecided, 0);
  asked.inputInterface = 5;
  assert.equal(policy.decide(asked), UNDECIDABLE, "an interface, and nobody has told which number r0 has");
  placeInterfaces(image, new Map([["r0", 5]]));
  assert.equal(policy.decide(asked), 0);
  asked.inputInterface = 6;
  assert.equal(policy.decide(asked), DEFAULT_RULE, "r2 is not there");
  placeInterfaces(image, new Map([["r2", 6]]));
  assert.equal(policy.decide(asked), 0, "told again");
  const hard = flow("192.0.2.1", 81);
  assert.equal(policy.decide(hard), UNDECIDABLE, "no hardware address");
  assert.equal(policy.undecided, 1);
  putHardwareAddress(hard, Uint8Array.of(2, 0, 0, 0, 0, 1));
  assert.equal(policy.decide(hard), 1);
  putHardwareAddress(hard, Uint8Array.of(2, 0, 0, 0, 1, 1));
  assert.equal(policy.decide(hard), DEFAULT_RULE);
});

Deno.test("Policy.decide() is certain where what is known excludes the rule, whatever is not", () => {
  const { policy } = policyOf("rules: [{ action: block, in: [r0], ports: [443] }]");
  assert.equal(policy.decide(flow()), DEFAULT_RULE);
});

Deno.test("Policy.decide(): what the router sends comes through no interface", () => {
  const { policy } = policyOf(`
rules:
  - { action: block, in: [r0] }
  - { action: block, mac: ["02:00:00:00:00:01"] }
  - { action: bypass, ports: [80] }`);
  const sent = flow();
  sent.ofRouter = true;
  assert.equal(policy.decide(sent), 2);
});

Deno.test("Policy.decide() asks for the name before it is in doubt, and does not guess about one", () => {
  const { policy } = policyOf(`
rules:
  - { action: block, domains: [example.org], mac: ["02:00:00:00:00:01"], ports: [80] }
  - { action: bypass, ports: [80] }`);
  const asked = flow();
  assert.equal(policy.decide(asked), NAME_NEEDED);
  assert.equal(policy.undecided, 0);
  asked.nameAsked = true;
  assert.equal(policy.decide(asked), 1, "no name: the rule does not match");
  putName(asked, "example.org");
  assert.equal(policy.decide(asked), UNDECIDABLE, "nobody has made the set");
});

Deno.test("Policy.decide(): what intercept leaves out is not intercepted", () => {
  const { policy } = policyOf(
    "intercept: { families: [ipv4], protocols: [tcp], ports: [80] }\ndefault: block",
  );
  assert.equal(policy.decide(flow()), DEFAULT_RULE);
  assert.equal(policy.decide(flow("2001:db8::1")), NOT_INTERCEPTED);
  assert.equal(policy.decide(flow("192.0.2.1", 81)), NOT_INTERCEPTED);
  const datagram = flow();
  datagram.protocol = 17;
  assert.equal(policy.decide(datagram), NOT_INTERCEPTED);
});

Deno.test("Policy.route() tells how a flow goes on", () => {
  const { policy } = policyOf(`
source: router
default: block
rules: [{ name: games, action: deliver, deliver-port: 3129 }]`);
  const route = { name: "games", action: "deliver", silent: false, deliverPort: 3129, upstreams: [] };
  assert.deepEqual(policy.route(0), {
    ...route,
    group: null,
    strategy: "failover",
    whenDown: "block",
    source: "router",
  });
  assert.equal(policy.route(DEFAULT_RULE).action, "block");
  assert.equal(policy.generation, 7);
});
