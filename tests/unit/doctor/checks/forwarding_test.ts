import assert from "node:assert/strict";
import { judgeForwarding, readForwarding } from "../../../../src/doctor/checks/forwarding.ts";
import { memoryFiles, situationWith, troubles } from "../support/machine.ts";

Deno.test("judgeForwarding() warns of what is not forwarded, and says who switched it off", () => {
  const files = memoryFiles({
    "/proc/sys/net/ipv4/ip_forward": "0\n",
    "/proc/sys/net/ipv6/conf/all/forwarding": "1\n",
    "/etc/sysctl.d/10-desktop.conf": "net.ipv4.ip_forward = 0",
  });
  const findings = judgeForwarding(readForwarding(files), situationWith());
  assert.deepEqual(troubles(findings), ["warning forwarding-ipv4"]);
  assert.match(findings[0].cause, /set in \/etc\/sysctl\.d\/10-desktop\.conf$/);
  assert.match(findings[0].remedy, /^sysctl -w net\.ipv4\.ip_forward=1/);
  assert.deepEqual(
    troubles(judgeForwarding(readForwarding(files), situationWith({ families: ["ipv6"] }))),
    [],
  );
});
