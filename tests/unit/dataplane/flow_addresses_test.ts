import assert from "node:assert/strict";
import { makeSockaddr, writeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { parseConfig } from "../../../src/config/load.ts";
import { putAddresses } from "../../../src/dataplane/flow_addresses.ts";
import { parseEndpoint } from "../../../src/net/ip.ts";
import { compilePolicy } from "../../../src/policy/compile.ts";
import { Flow, PROTOCOL_NUMBERS } from "../../../src/policy/flow.ts";
import { DEFAULT_RULE, Policy } from "../../../src/policy/policy.ts";

function sockaddr(text: string): Uint8Array {
  const address = makeSockaddr();
  writeSockaddr(address, parseEndpoint(text)!);
  return address;
}

Deno.test("putAddresses() gives the policy client, destination and port of sockets, one flow after another", () => {
  const policy = new Policy(compilePolicy(
    parseConfig(
      `rules:
        - { action: block, from: [10.1.2.3], to: [192.0.2.7], ports: [443] }
        - { action: block, from: ["2001:db8:1:2:3:4:5:6"], to: ["2001:db8::ffff"], ports: [65535] }`,
      "policy",
    ),
    1,
  ));
  const flow = new Flow();
  flow.protocol = PROTOCOL_NUMBERS.tcp;
  const decide = (client: string, destination: string) => {
    putAddresses(flow, sockaddr(client), sockaddr(destination));
    return policy.decide(flow);
  };
  assert.equal(decide("10.1.2.3:9", "192.0.2.7:443"), 0);
  assert.equal(decide("[2001:db8:1:2:3:4:5:6]:9", "[2001:db8::ffff]:65535"), 1);
  assert.equal(decide("10.1.2.4:9", "192.0.2.7:443"), DEFAULT_RULE);
  assert.equal(decide("10.1.2.3:443", "192.0.2.7:9"), DEFAULT_RULE);
  assert.equal(decide("[2001:db8:1:2:3:4:5:7]:9", "[2001:db8::ffff]:65535"), DEFAULT_RULE);
});
