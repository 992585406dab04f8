/** Firewalls as distributions write them: doctor's verdict is what becomes of a connection. */
import assert from "node:assert/strict";
import { doctor, echoes, findTrouble } from "../../laboratory/proxy/doctor.ts";
import { type ConfigText, startProxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { serve } from "../../laboratory/network/sockets.ts";
import type { Lab } from "../../laboratory/lab.ts";

/** Commands of each program of iptables, or a script for nft. */
type Rules = readonly string[] | string;

/** A firewall, the ids of what doctor says blocks while flows are taken early, and words that it uses. */
interface Case {
  readonly name: string;
  readonly rules: Rules;
  readonly early: readonly string[];
  readonly says?: readonly RegExp[];
}

const DEBIAN: Rules = [
  "-A INPUT -i lo -j ACCEPT",
  "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
  "-A INPUT -i r0 -p tcp -m tcp --dport 22 -j ACCEPT",
  "-P INPUT DROP",
];

const CASES: readonly Case[] = [
  {
    name: "Debian's iptables",
    rules: DEBIAN,
    early: ["input"],
    says: [/its policy/, /-m mark --mark 0x1\/0x1/],
  },
  {
    name: "iptables that lets the LAN in",
    rules: [...DEBIAN, "-A INPUT -s 10.77.1.0/24 -i r0 -m comment --comment lan -j ACCEPT"],
    early: [],
  },
  {
    name: "iptables that lets the LAN in by multiport",
    rules: [...DEBIAN, "-A INPUT -i r0 -p tcp -m multiport --dports 22,7000:7010 -j ACCEPT"],
    early: [],
  },
  {
    name: "iptables that lets other ports in by multiport",
    rules: [...DEBIAN, "-A INPUT -i r0 -p tcp -m multiport --dports 22,80 -j ACCEPT"],
    early: ["input"],
  },
  {
    name: "iptables that takes what is addressed to the router alone",
    rules: [...DEBIAN, "-A INPUT -i r0 -m addrtype --dst-type LOCAL -j ACCEPT"],
    early: ["input"],
  },
  {
    name: "iptables that knows the mark",
    rules: [...DEBIAN, "-A INPUT -m mark --mark 0x1/0x1 -j ACCEPT"],
    early: [],
  },
  {
    name: "iptables that forbids the router's services to clients",
    rules: ["-A INPUT -i r0 -p tcp -m tcp --dport 7000 -j REJECT"],
    early: ["input"],
    says: [/the rule "-i r0 .*--dport 7000 -j REJECT"/],
  },
  {
    name: "iptables with a chain of its own",
    rules: [
      "-N GUARD",
      "-A GUARD -m conntrack --ctstate UNTRACKED -j RETURN",
      "-A GUARD -p tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP",
      "-A INPUT -i r0 -j GUARD",
    ],
    early: [],
  },
  {
    name: "iptables with a chain that drops new connections",
    rules: ["-N GUARD", "-A GUARD -p tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP", "-A INPUT -i r0 -g GUARD"],
    early: ["input"],
    says: [/the rule "-p tcp .*-j DROP" of chain GUARD/],
  },
  {
    name: "iptables that lets the router answer alone",
    rules: [
      "-A OUTPUT -o lo -j ACCEPT",
      "-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "-A OUTPUT -p udp -m udp --dport 53 -j ACCEPT",
      "-P OUTPUT DROP",
    ],
    early: ["output"],
  },
];

const CONFIG: ConfigText = {
  intercept: { admission: "early", families: ["ipv4"], ports: [7000], protocols: ["tcp"] },
};

async function apply(lab: Lab, command: string, rules: readonly string[]): Promise<void> {
  for (const rule of rules) await lab.router.run([command, ...rule.split(" ")]);
}

const CLEAN = ["-P INPUT ACCEPT", "-P OUTPUT ACCEPT", "-P FORWARD ACCEPT", "-F", "-X"];

for (const kind of ["nft", "legacy"] as const) {
  const command = `iptables-${kind}`;
  labTest(
    `doctor's judgement of ${command} is what packets get`,
    { programs: ["socat", command] },
    async (lab) => {
      await serve(lab, 7000, "cat");
      await startProxy(lab, { config: CONFIG });
      for (const { name, rules, early, says = [] } of CASES) {
        await apply(lab, command, rules as string[]);
        const report = await doctor(lab, { config: CONFIG });
        const [passes] = await echoes(lab);
        assert.equal(passes, early.length === 0, name);
        const prefix = kind === "nft" ? "" : "legacy-";
        const suffix = kind === "nft" ? "-chains" : "";
        const expected = early.map((hook) => `! warning ${prefix}${hook}${suffix}`);
        assert.deepEqual(report.troubles, expected, name);
        if (early.length > 0) {
          const finding = findTrouble(report, expected[0].split(" ")[2]);
          for (const words of says) assert.match(`${finding.cause} ${finding.remedy}`, words, name);
          // Its advice is commands, up to each semicolon, and it helps.
          const lines = finding.remedy.split("; ").map((line) => line.replace(/^and /, ""));
          for (const line of lines.filter((line) => line.startsWith("iptables-"))) {
            await lab.router.run(line.split(" "));
          }
          assert.deepEqual((await echoes(lab))[0], true, `${name}: ${finding.remedy}`);
          assert.deepEqual((await doctor(lab, { config: CONFIG })).troubles, [], name);
        }
        await apply(lab, command, CLEAN);
      }
    },
  );
}
