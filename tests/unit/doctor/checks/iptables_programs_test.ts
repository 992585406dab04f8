import assert from "node:assert/strict";
import { judgePrograms } from "../../../../src/doctor/checks/iptables_programs.ts";
import { IPTABLES, NETLINK, programsOf } from "../support/iptables.ts";
import { troubles } from "../support/machine.ts";

Deno.test("judgePrograms() wants the programs of every family, with the backend iptables alone", () => {
  assert.deepEqual(judgePrograms([], NETLINK), []);
  const [finding] = judgePrograms([], IPTABLES);
  assert.deepEqual(troubles([finding]), ["! missing iptables-programs"]);
  assert.match(finding.remedy, /On Debian install the package iptables/);
  assert.deepEqual(troubles(judgePrograms([programsOf("nf_tables"), programsOf("legacy")], IPTABLES)), []);
  const half = [programsOf("legacy", ["ip6tables-restore"])];
  assert.match(judgePrograms(half, IPTABLES)[0].cause, /no program ip6tables-restore/);
});
