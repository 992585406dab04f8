import assert from "node:assert/strict";
import { describeStatus, type StatusFacts } from "../../../src/daemon/report.ts";

const FACTS: StatusFacts = {
  phase: "running",
  connections: 1,
  udpSessions: 3,
  families: ["ipv4", "ipv6"],
  rules: "rules for br-lan",
  hanging: [],
  refused: undefined,
};

Deno.test("describeStatus() is one line: what is live, in which families, and how the rules are", () => {
  assert.equal(describeStatus(FACTS), "1 connection, 3 UDP sessions; IPv4 and IPv6; rules for br-lan");
  assert.equal(
    describeStatus({ ...FACTS, phase: "draining", families: ["ipv4"], udpSessions: 1, connections: 0 }),
    "draining: 0 connections, 1 UDP session; IPv4; rules for br-lan",
  );
});

Deno.test("describeStatus() begins with workers that hang", () => {
  assert.match(describeStatus({ ...FACTS, hanging: [0, 2] }), /^HANGS: 2 workers \(0, 2\); 1 connection/);
});

Deno.test("describeStatus() ends with the config in force, where another was refused", () => {
  const refused = { refusal: "/etc/t.yaml:3:5: unknown key", generation: 2 };
  assert.equal(
    describeStatus({ ...FACTS, refused }),
    "1 connection, 3 UDP sessions; IPv4 and IPv6; rules for br-lan; " +
      "NOT RELOADED, generation 2 is in force: /etc/t.yaml:3:5: unknown key",
  );
});
