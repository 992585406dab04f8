import assert from "node:assert/strict";
import { judgeOnFailure } from "../../../../src/doctor/checks/on_failure.ts";
import { configWith } from "../../kernel/support/view.ts";
import { situationWith, troubles } from "../support/machine.ts";

Deno.test("judgeOnFailure() finds protocols that nobody serves while they are refused or dropped", () => {
  const listeners = (tcp: boolean, udp: boolean) => [
    { protocol: "tcp" as const, address: "127.0.0.1:50080", listening: tcp },
    { protocol: "udp" as const, address: "127.0.0.1:50080", listening: udp },
  ];
  const judge = (
    onFailure: "open" | "reset" | "drop",
    facts: { tcp: boolean; udp: boolean; installed?: boolean },
  ) =>
    judgeOnFailure(
      { installed: facts.installed ?? true, listeners: listeners(facts.tcp, facts.udp) },
      situationWith({ config: configWith({ onFailure, protocols: ["tcp", "udp"] }) }),
    );
  assert.deepEqual(troubles(judge("open", { tcp: false, udp: false })), []);
  assert.deepEqual(troubles(judge("reset", { tcp: true, udp: true })), []);
  const udp = judge("drop", { tcp: true, udp: false });
  assert.deepEqual(troubles(udp), ["! warning on-failure"]);
  assert.match(
    `${udp[0].what} ${udp[0].cause}`,
    /drop, and nobody listens for udp .* dropped now, DNS among them/,
  );
  assert.match(udp[0].remedy, /leave udp out of intercept\.protocols/);
  const none = judge("reset", { tcp: false, udp: false, installed: false });
  assert.deepEqual(troubles(none), ["warning on-failure", "warning on-failure"]);
  assert.match(none[0].remedy, /^Start "tproxy run"/);
});
