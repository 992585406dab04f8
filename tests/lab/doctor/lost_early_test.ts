/** Rules and routes of a router that count in the forward path: doctor names those that early passes by. */
import assert from "node:assert/strict";
import { doctor, findTrouble } from "../../laboratory/proxy/doctor.ts";
import { labTest } from "../../laboratory/register.ts";

/** Commands, what doctor says of them while flows are taken early, and words of it. */
const CASES: readonly {
  readonly name: string;
  readonly commands: readonly string[];
  readonly undo: readonly string[];
  readonly early: string;
  readonly says: RegExp;
}[] = [
  {
    name: "forced DNS",
    commands: [
      "nft add table ip n",
      "nft add chain ip n pre { type nat hook prerouting priority dstnat ; }",
      "nft add rule ip n pre iifname r0 udp dport 53 dnat to 10.77.1.53",
    ],
    undo: ["nft delete table ip n"],
    early: "warning redirects",
    says: /the rule "iifname "r0" .*53 dnat to 10.77.1.53", chain pre of table ip n/,
  },
  {
    name: "forced DNS of iptables",
    commands: ["iptables-nft -t nat -A PREROUTING -i r0 -p udp --dport 53 -j REDIRECT --to-ports 5353"],
    undo: ["iptables-nft -t nat -F", "nft delete table ip nat"],
    early: "warning redirects",
    says: /the rule "-i r0 -p udp .*--dport 53 -j REDIRECT"/,
  },
  {
    name: "redirection of others' interfaces",
    commands: [
      "iptables-legacy -t nat -A PREROUTING -i r1 -p tcp --dport 80 -j DNAT --to-destination 10.77.1.2",
    ],
    undo: ["iptables-legacy -t nat -F"],
    early: "",
    says: /^/,
  },
  {
    name: "masquerade as NixOS has it",
    commands: [
      "nft add table ip n",
      "nft add chain ip n post { type nat hook postrouting priority srcnat ; }",
      "nft add rule ip n post iifname r0 oifname r1 masquerade",
    ],
    undo: ["nft delete table ip n"],
    early: "! warning masquerades",
    says: /the rule "iifname "r0" oifname "r1" masquerade", chain post/,
  },
  {
    name: "masquerade as usual",
    commands: [
      "nft add table ip n",
      "nft add chain ip n post { type nat hook postrouting priority srcnat ; }",
      "nft add rule ip n post oifname r1 masquerade",
    ],
    undo: ["nft delete table ip n"],
    early: "",
    says: /^/,
  },
  {
    name: "policy routing by interface",
    commands: [
      "ip route add default via 203.0.113.2 table 202",
      "ip rule add iif r0 lookup 202 priority 30000",
    ],
    undo: ["ip rule del priority 30000", "ip route flush table 202"],
    early: "warning policy-routes",
    says: /priority 30000.*iif r0/,
  },
  {
    name: "policy routing by mark",
    commands: [
      "ip route add default via 203.0.113.2 table 202",
      "ip rule add fwmark 0x20000/0xff0000 lookup 202 priority 30000",
    ],
    undo: ["ip rule del priority 30000", "ip route flush table 202"],
    early: "warning policy-routes",
    says: /0x20000/,
  },
  {
    name: "guests who may not reach the private network",
    commands: [
      "nft add table inet g",
      "nft add chain inet g guests { type filter hook forward priority 0 ; }",
      "nft add rule inet g guests iifname r0 ip daddr 192.168.7.0/24 reject",
    ],
    undo: ["nft delete table inet g"],
    early: "warning forward-chains",
    says: /chain guests of table inet g.*do not pass it/,
  },
];

labTest("doctor names what a router has for the forward path, and early passes by", {
  programs: ["iptables-nft", "iptables-legacy"],
}, async (lab) => {
  const early = { intercept: { admission: "early", protocols: ["tcp", "udp"] } };
  for (const { name, commands, undo, early: expected, says } of CASES) {
    for (const line of commands) await lab.router.run(line.split(" "));
    const report = await doctor(lab, { config: early });
    assert.deepEqual(report.troubles, expected === "" ? [] : [expected], name);
    if (expected !== "") {
      const { what, cause } = findTrouble(report, expected.split(" ").at(-1)!);
      assert.match(`${what}: ${cause}`, says, name);
    }
    for (const line of undo) await lab.router.run(line.split(" "));
  }
});

labTest("doctor says where endpoint-independent filtering has no effect", {}, async (lab) => {
  const config = {
    intercept: { admission: "early", protocols: ["udp"] },
    udp: { filtering: "endpoint-independent" },
  };
  assert.deepEqual((await doctor(lab, { config })).troubles, []);
  await lab.router.nft(`table inet n {
    chain post { type nat hook postrouting priority srcnat; oifname "r1" masquerade; }
  }`);
  const report = await doctor(lab, { config });
  assert.deepEqual(report.troubles, ["warning udp-filtering"]);
  assert.match(findTrouble(report, "udp-filtering").cause, /"oifname "r1" masquerade"/);
});
