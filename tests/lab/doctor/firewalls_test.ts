/** Firewalls as distributions write them: doctor's verdict is what becomes of a connection. */
import assert from "node:assert/strict";
import { doctor, echoes, findTrouble } from "../../laboratory/proxy/doctor.ts";
import { type ConfigText, startProxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { serve } from "../../laboratory/network/sockets.ts";
import type { Lab } from "../../laboratory/lab.ts";

/** Commands of each program of iptables. */
type Rules = readonly string[];

/** A firewall, what is in the way by the place where flows are taken, and words that doctor has for it. */
interface Case {
  readonly name: string;
  readonly rules: Rules;
  readonly early: readonly string[];
  readonly path?: readonly string[];
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
    // It does not ask for the state: later packets are refused as well.
    path: ["input"],
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
  {
    name: "iptables that has forgotten the loopback",
    rules: [
      "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "-A INPUT -m mark --mark 0x1/0x3 -j ACCEPT",
      "-P INPUT DROP",
    ],
    early: [],
    path: ["input"],
  },
  {
    name: "iptables that forwards nothing",
    rules: ["-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-P FORWARD DROP"],
    early: [],
    path: ["forward"],
  },
  {
    name: "iptables that forwards the LAN, as Docker leaves it",
    rules: [
      "-N DOCKER-USER",
      "-A DOCKER-USER -j RETURN",
      "-A FORWARD -j DOCKER-USER",
      "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "-A FORWARD -i r0 -o r1 -j ACCEPT",
      "-P FORWARD DROP",
    ],
    early: [],
  },
];

type Place = "early" | "forward-path";

function configOf(admission: Place): ConfigText {
  return { intercept: { admission, families: ["ipv4"], ports: [7000], protocols: ["tcp"] } };
}

async function apply(lab: Lab, command: string, rules: readonly string[]): Promise<void> {
  for (const rule of rules) await lab.router.run([command, ...rule.split(" ")]);
}

const CLEAN = ["-P INPUT ACCEPT", "-P OUTPUT ACCEPT", "-P FORWARD ACCEPT", "-F", "-X"];

function inTheWay({ early, path = [] }: Case, place: Place): readonly string[] {
  return place === "early" ? early : path;
}

for (const kind of ["nft", "legacy"] as const) {
  for (const place of ["early", "forward-path"] as const) {
    const command = `iptables-${kind}`;
    const name = `doctor's judgement of ${command} is what packets get, ${place}`;
    labTest(name, { programs: ["socat", command] }, (lab) => judgeAll(lab, command, place));
  }
}

async function judgeAll(lab: Lab, command: string, place: Place): Promise<void> {
  const config = configOf(place);
  await serve(lab, 7000, "cat");
  await startProxy(lab, { config });
  for (const one of CASES) {
    const { name, rules, says = [] } = one;
    const hooks = inTheWay(one, place);
    await apply(lab, command, rules);
    const report = await doctor(lab, { config });
    const [passes] = await echoes(lab);
    assert.equal(passes, hooks.length === 0, name);
    const idOf = (hook: string) => command.endsWith("nft") ? `${hook}-chains` : `legacy-${hook}`;
    const blocking = report.troubles.filter((trouble) => trouble.startsWith("!"));
    assert.deepEqual(blocking, hooks.map((hook) => `! warning ${idOf(hook)}`), name);
    if (hooks.length > 0) {
      const finding = findTrouble(report, idOf(hooks[0]));
      if (place === "early") {
        for (const words of says) assert.match(`${finding.cause} ${finding.remedy}`, words, name);
      }
      // Its advice is commands, up to each semicolon, and it helps.
      const lines = finding.remedy.split("; ").map((line) => line.replace(/^and /, ""));
      for (const line of lines.filter((line) => line.startsWith("iptables-"))) {
        await lab.router.run(line.split(" "));
      }
      assert.deepEqual((await echoes(lab))[0], true, `${name}: ${finding.remedy}`);
      assert.equal((await doctor(lab, { config })).ready, true, name);
    }
    await apply(lab, command, CLEAN);
  }
}
