import assert from "node:assert/strict";
import { loadText } from "../../../src/config/load.ts";
import { planFor } from "../../../src/kernel/compilers.ts";
import { ROUTER } from "./support/view.ts";

Deno.test("planFor() warns of long lists with the backend iptables, and with it alone", () => {
  const networks = (count: number) => Array.from({ length: count }, (_, i) => `10.${i >> 8}.${i & 255}.0/25`);
  const warnings = (backend: string, count: number) => {
    const rules = [{ name: "a list", to: networks(count), action: "bypass" }];
    return planFor(loadText(JSON.stringify({ version: 1, kernel: { backend }, rules }), "test"), ROUTER)
      .warnings;
  };
  assert.match(warnings("iptables", 1500).join(), /rules\[0\] \(a list\).*1500 networks .*about 10 µs/);
  assert.deepEqual(warnings("iptables", 1000), []);
  assert.deepEqual(warnings("netlink", 1500), []);
});
