import assert from "node:assert/strict";
import { judgePorts } from "../../../../src/doctor/checks/listener_port.ts";
import type { PortFacts } from "../../../../src/doctor/machine/ports.ts";
import { parseEndpoint } from "../../../../src/net/ip.ts";
import { processOf, troubles } from "../support/machine.ts";

Deno.test("judgePorts() names the program that holds a port, and knows its own", () => {
  const facts = (errno: number, holders: PortFacts["holders"] = []): PortFacts[] => [
    { protocol: "tcp", endpoint: parseEndpoint("127.0.0.1:50080")!, errno, holders },
  ];
  assert.deepEqual(troubles(judgePorts(facts(0))), []);
  const taken = judgePorts(facts(98, [processOf("socat", ["socat", "TCP-LISTEN:50080", "-"])]));
  assert.deepEqual(troubles(taken), ["! warning listener-tcp-ipv4"]);
  assert.match(taken[0].cause, /^socat \(pid 812\) holds it: socat TCP-LISTEN:50080 -$/);
  assert.match(judgePorts(facts(98))[0].cause, /only root can see which/);
  assert.deepEqual(troubles(judgePorts(facts(98, [processOf("tproxy", ["tproxy", "run"])]))), []);
  assert.deepEqual(troubles(judgePorts(facts(13))), ["! not permitted listener-tcp-ipv4"]);
  assert.match(judgePorts(facts(99))[0].remedy, /ip link set lo up/);
});
