/** The effects of planned rules in the words of iptables. */
import assert from "node:assert/strict";
import { makeContext } from "../../../../../src/kernel/iptables/compile/context.ts";
import { mangleTarget, rawTarget } from "../../../../../src/kernel/iptables/compile/targets.ts";
import type { Effect } from "../../../../../src/kernel/plan/rules/effect.ts";
import { planInstall } from "../../../../../src/kernel/plan/plan.ts";
import { configWith, ROUTER } from "../../support/view.ts";

const NFT_ALONE: readonly Effect[] = [
  { kind: "loop-back", noted: true },
  { kind: "forget-note" },
  { kind: "receive", to: { address: { family: "ipv4", bytes: Uint8Array.of(127, 0, 0, 1) }, port: 1 } },
  { kind: "show-life", set: "running" },
];

for (const effect of NFT_ALONE) {
  Deno.test(`rawTarget(), mangleTarget() throw for ${effect.kind}`, () => {
    const context = makeContext(planInstall(configWith(), ROUTER).intent, "ipv4");
    const error = { message: new RegExp(`Cannot write for iptables "${effect.kind}"`) };
    assert.throws(() => rawTarget(effect), error);
    assert.throws(() => mangleTarget(effect, context), error);
  });
}

Deno.test("rawTarget() hides from conntrack what goes to the proxy, and marks a datagram that is dropped", () => {
  assert.equal(rawTarget({ kind: "socket", tracked: false }), "-g TPROXY_OURS");
  assert.equal(rawTarget({ kind: "socket", tracked: true }), "-g TPROXY_LOCAL");
  assert.equal(rawTarget({ kind: "drop", protocols: ["tcp", "udp"] }), "-g TPROXY_DROPPED");
  assert.equal(rawTarget({ kind: "drop", protocols: ["tcp"] }), "-j DROP");
});
