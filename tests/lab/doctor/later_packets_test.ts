/** Rules at the forward hook, by the real programs, that a relayed flow meets once: doctor names them. */
import assert from "node:assert/strict";
import { doctor, findTrouble } from "../../laboratory/proxy/doctor.ts";
import { labTest } from "../../laboratory/register.ts";

/** The rules of a chain `forward`, or commands; what doctor says of them, and words of it. */
const CASES: readonly {
  readonly name: string;
  readonly rules?: string;
  readonly commands?: readonly string[];
  readonly trouble?: "warning later-packets" | "warning counted-connections";
  readonly says?: RegExp;
}[] = [
  {
    name: "a quota of nft",
    rules: "ip saddr 10.77.1.2 quota over 50 kbytes drop",
    trouble: "warning later-packets",
    says: /so no other meets the rule ".*ip saddr 10\.77\.1\.2 quota drop"$/,
  },
  {
    name: "lengths, volumes, limits and bytes of a payload",
    rules:
      'oifname "r1" meta length > 500 drop; ct bytes > 1000000 drop; limit rate over 1 mbytes/second drop',
    trouble: "warning later-packets",
    says: /"oifname "r1" meta length > 500 drop", the rule "ct … drop", the rule "limit drop"$/,
  },
  { name: "TTL", rules: "ip ttl set 64", trouble: "warning later-packets" },
  { name: "accounting", rules: 'iifname "r0" counter', trouble: "warning later-packets" },
  {
    name: "meters",
    rules: "add @m { ip saddr limit rate over 10/second } drop",
    trouble: "warning later-packets",
  },
  {
    name: "strings and rates of iptables",
    commands: [
      "iptables-nft -A FORWARD -p tcp --dport 80 -m string --algo bm --string forbidden -j DROP",
      "iptables-nft -A FORWARD -m hashlimit --hashlimit-above 1mb/s --hashlimit-name h --hashlimit-mode srcip -j DROP",
    ],
    trouble: "warning later-packets",
    says: /-m string … -j DROP", the rule "-m hashlimit … -j DROP"; iptables-nft made it$/,
  },
  {
    name: "TTL of iptables",
    commands: ["iptables-nft -t mangle -A FORWARD -o r1 -j TTL --ttl-set 64"],
    trouble: "warning later-packets",
    says: /the rule "-o r1 -j TTL"/,
  },
  {
    name: "a string of iptables-legacy",
    commands: ["iptables-legacy -A FORWARD -p tcp -m string --algo bm --string forbidden -j DROP"],
    trouble: "warning later-packets",
    says: /-m string … -j DROP"; iptables-legacy made it$/,
  },
  {
    name: "connlimit behind masquerade",
    commands: [
      "iptables-nft -A FORWARD -p tcp --syn --dport 80 -m connlimit --connlimit-above 3 -j REJECT",
      "iptables-nft -t nat -A POSTROUTING -o r1 -j MASQUERADE",
    ],
    trouble: "warning counted-connections",
    says: /^With NAT it does not count/,
  },
  {
    name: "connlimit without NAT",
    commands: ["iptables-nft -A FORWARD -p tcp --syn --dport 80 -m connlimit --connlimit-above 3 -j REJECT"],
  },
  {
    name: "limits of first packets, as firewalls have them",
    rules: `ct state vmap { established : accept, related : accept, invalid : drop }
      tcp flags syn limit rate over 25/second drop; meta length > 500 drop; counter accept`,
  },
  { name: "rules of others' interfaces", rules: 'iifname "r9" quota over 50 kbytes drop' },
];

labTest(
  "doctor names rules of which a relayed flow has less, in their words, and none of first packets",
  { programs: ["iptables"] },
  async (lab) => {
    const config = { intercept: { interfaces: ["r0"], protocols: ["tcp", "udp"] } } as const;
    for (const { name, rules, commands = [], trouble, says = /./ } of CASES) {
      const table = `table inet t {
        set m { type ipv4_addr; size 1000; flags dynamic; }
        chain forward { type filter hook forward priority 0; ${rules}; }
      }`;
      if (rules !== undefined) await lab.router.nft(table);
      for (const command of commands) await lab.router.run(command.split(" "));
      const report = await doctor(lab, { config });
      assert.deepEqual(report.troubles, trouble === undefined ? [] : [trouble], name);
      if (trouble !== undefined) {
        const { cause, remedy } = findTrouble(report, trouble.slice("warning ".length));
        assert.match(cause, says, `${name}: ${cause}`);
        assert.match(remedy, /action: bypass/, name);
      }
      await lab.router.nft("flush ruleset");
      for (const table of ["filter", "nat", "mangle"]) {
        await lab.router.run(["iptables-legacy", "-t", table, "-F"]);
      }
    }
  },
);
