/** Routing rules and routes for some packets only: install does not take them for its own. */
import assert from "node:assert/strict";
import { tproxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

labTest("install replaces a rule that has all of its own, and asks for more", {}, async (lab) => {
  const narrow = "priority 500 fwmark 0x10/0x10 iif r0 dport 53 lookup 100 protocol 50";
  await lab.router.run(["ip", "rule", "add", ...narrow.split(" ")]);
  const config = { intercept: { families: ["ipv4"] }, kernel: { mark: 0x10 } };
  await tproxy(lab, ["install", "-c", writeConfig(lab, config)]);
  const { stdout } = await lab.router.run(["ip", "rule", "show", "iif", "r0"]);
  assert.match(stdout, /fwmark 0x10\/0x10 iif r0 lookup 100/);
  assert.doesNotMatch(stdout, /dport/);
});

labTest("install does not rely on another program's route that is for one TOS alone", {}, async (lab) => {
  const config = writeConfig(lab, { intercept: { families: ["ipv4"] } });
  await lab.router.run([..."ip route add local default dev lo tos 0x10 table 100".split(" ")]);
  const refused = await tproxy(lab, ["install", "-c", config], { mayFail: true });
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /Cannot use routing table "100": another program has a route to default in it/,
  );
  await lab.router.run([..."ip route replace local default dev lo table 100".split(" ")]);
  await lab.router.run([..."ip route del local default dev lo tos 0x10 table 100".split(" ")]);
  await tproxy(lab, ["install", "-c", config]);
});
