import assert from "node:assert/strict";
import { judgeNetworkd, readNetworkd } from "../../../../src/doctor/checks/networkd.ts";
import { memoryFiles, processOf, situationWith, troubles } from "../support/machine.ts";

Deno.test("judgeNetworkd() warns while networkd runs and deletes rules, by its configuration", () => {
  const running = situationWith({ processes: [processOf("systemd-network")] });
  const off = "[Network]\nManageForeignRoutingPolicyRules = no\n";
  const directory = "/etc/systemd/networkd.conf.d";
  const cases: [files: Record<string, string>, expected: string[]][] = [
    [{}, ["warning networkd"]],
    [{ "/etc/systemd/networkd.conf": off }, []],
    [{ "/etc/systemd/networkd.conf": `[DHCP]\n${off.split("\n")[1]}` }, ["warning networkd"]],
    [{ "/etc/systemd/networkd.conf": "", "/usr/lib/systemd/networkd.conf": off }, ["warning networkd"]],
    [{ [`${directory}/tproxy.conf`]: off }, []],
    [{ [`${directory}/a.conf`]: off, [`${directory}/b.conf`]: off.replace("no", "yes") }, [
      "warning networkd",
    ]],
    [{ [`${directory}/a.conf`]: off, "/run/systemd/networkd.conf.d/a.conf": off.replace("no", "yes") }, []],
  ];
  for (const [files, expected] of cases) {
    const facts = readNetworkd(memoryFiles(files));
    assert.deepEqual(troubles(judgeNetworkd(facts, running)), expected, JSON.stringify(files));
    assert.deepEqual(troubles(judgeNetworkd(facts, situationWith())), []);
  }
});
