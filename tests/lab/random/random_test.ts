/** Random routers and random flows: each ends as without tproxy, or as the README's limits say. */
import assert from "node:assert/strict";
import { nameFlow } from "../../laboratory/random/calls.ts";
import { drawRouter } from "../../laboratory/random/draw.ts";
import { nameDifference } from "../../laboratory/random/judge.ts";
import { describeRouter } from "../../laboratory/random/router.ts";
import { tryBoth, tryUntilSure } from "../../laboratory/random/trial.ts";
import { labTest } from "../../laboratory/register.ts";

/** `scripts/differ` tries others. */
const SEEDS = [1, 2, 4, 5];
const OPTIONS = {
  programs: ["iptables", "conntrack"],
  netlinkOnly: "rules of the forward chain do not count there",
} as const;

for (const seed of SEEDS) {
  labTest(`random router ${seed}: as without tproxy`, OPTIONS, async () => {
    const router = drawRouter(seed);
    const { differences, through } = await tryUntilSure(router);
    const lines = differences.map((difference) => nameDifference(router, difference));
    assert.deepEqual(lines, [], `${describeRouter(router)}\n${router.flows.map(nameFlow).join("\n")}`);
    assert.ok(through.passed > 0, "nothing has passed the proxy");
  });
}

/** Faults of a router with a proxy, and the subject in which the judge sees each. */
const FAULTS = {
  outcome: "nft add chain inet random_guard early '{ type filter hook prerouting priority -310; }'; " +
    "nft add rule inet random_guard early iifname r0 tcp dport '{ 80, 443, 8080 }' drop",
  services: "nft add chain inet random_guard nat '{ type nat hook postrouting priority 99; }'; " +
    "nft add rule inet random_guard nat oifname r1 masquerade",
  syn: "nft insert rule inet random_guard leaving oifname r1 ip dscp set cs3",
} as const;

for (const [subject, fault] of Object.entries(FAULTS)) {
  labTest(`random router: a fault is seen by its ${subject}`, OPTIONS, async () => {
    const { pieces: _none, ...router } = drawRouter(SEEDS[0]);
    const { differences } = await tryBoth({ ...router, pieces: [] }, fault);
    assert.ok(differences.some((each) => each.subject === subject), JSON.stringify(differences));
  });
}
