/**
 * The way of a person who sets up a router where something is in the way: doctor, install, run and status say
 * it in a line each, with what to do.
 */
import assert from "node:assert/strict";
import { asNobody } from "../../laboratory/programs/nobody.ts";
import { type ConfigText, PROXY_PORT, tproxyCommand, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import type { Lab } from "../../laboratory/lab.ts";

/** The commands of that way. */
type Step = "doctor" | "install" | "run" | "status";

/** Something in the way, and what each command says of it. */
interface Situation {
  readonly name: string;
  readonly setup?: readonly string[];
  readonly config?: ConfigText;
  /** The file itself, where it is wrong. */
  readonly text?: string;
  /** Set where nobody is root. */
  readonly isNobody?: true;
  /** The exit code and the words of each command. A `run` that would serve is not started. */
  readonly says: Partial<Readonly<Record<Step, readonly [code: number, words: RegExp]>>>;
}

const wrong = (words: RegExp): Situation["says"] => ({
  doctor: [2, words],
  install: [2, words],
  run: [2, words],
  status: [2, words],
});

/** All commands but `run` say the same. */
const inTheWay = (words: RegExp, remedy: RegExp): Situation["says"] => ({
  doctor: [1, new RegExp(`^! blocks +${words.source}[^]*\\n +${remedy.source}[^]*^ready: no`, "m")],
  install: [0, new RegExp(`warning: in the way: ${words.source}.*\\n  ${remedy.source}`)],
  status: [0, new RegExp(`^in the way: ${words.source}.*"tproxy doctor" says what to do$`, "m")],
});

const NOT_PERMITTED = /EPERM \(Operation not permitted\)[^]*root/;

const SITUATIONS: readonly Situation[] = [
  {
    name: "a file that is no YAML",
    text: "version: 1\nintercept:\n  interfaces: [r0\n  protocols: [tcp]\n",
    says: wrong(/tproxy\.yaml:4:3: bad YAML: Flow sequence/),
  },
  {
    name: "a key that does not exist",
    text: "version: 1\nintercept:\n  interface: [r0]\n",
    says: wrong(/tproxy\.yaml:3:3: unknown key "interface" in intercept, did you mean interfaces\?/),
  },
  {
    name: "a value that does not exist",
    text: "version: 1\nintercept:\n  interfaces: [r0]\n  protocols: [tpc]\n",
    says: wrong(/tproxy\.yaml:4:15: intercept\.protocols\[0\]: bad value tpc, expected tcp or udp/),
  },
  {
    name: "nobody is root",
    isNobody: true,
    says: {
      doctor: [1, /Run doctor as root \(CAP_NET_ADMIN\): try sudo\nready: no/],
      install: [1, NOT_PERMITTED],
      run: [1, NOT_PERMITTED],
      status: [1, NOT_PERMITTED],
    },
  },
  {
    name: "an interface that is not there",
    config: { intercept: { interfaces: ["br-lan"] } },
    says: {
      doctor: [
        1,
        /Cannot intercept on interface "br-lan": there is no such interface\n +This machine has r0, r1\n/,
      ],
      install: [
        1,
        /Cannot intercept on interface "br-lan": there is no such interface\. This machine has r0, r1/,
      ],
      status: [
        1,
        /Cannot intercept on interface "br-lan": there is no such interface\. This machine has r0, r1/,
      ],
    },
  },
  {
    name: "no default route to tell the LAN by",
    config: { intercept: { interfaces: "auto" } },
    says: {
      doctor: [1, /there is no default route.*\n +Name the LAN interface in the config/],
      install: [1, /there is no default route.*\. Name the LAN interface in the config/],
      status: [1, /there is no default route.*\. Name the LAN interface in the config/],
    },
  },
  {
    name: "no default route at all",
    says: { doctor: [0, /^ {2}warning +no default route\n.*\n.*\n[^]*^ready: yes, .*; 1 warning$/m] },
  },
  {
    name: "a port that another program holds",
    setup: [`socat TCP4-LISTEN:${PROXY_PORT},bind=127.0.0.1 -`],
    says: {
      ...inTheWay(/tcp 127\.0\.0\.1:50080/, /Stop that program, or set listener\.port/),
      run: [1, /Cannot listen on "127\.0\.0\.1:50080 \(TCP\)": EADDRINUSE.*Another program holds the port/],
    },
  },
  ...(["INPUT", "FORWARD", "OUTPUT"] as const).map((chain): Situation => ({
    name: `iptables-legacy that drops in ${chain}`,
    setup: [`iptables-legacy -P ${chain} DROP`],
    says: inTheWay(
      new RegExp(`firewall: chain ${chain} of iptables-legacy`),
      new RegExp(`iptables-legacy -I ${chain} .* -j ACCEPT; .*to keep`),
    ),
  })),
  {
    name: "a rule that writes the whole mark, taken early",
    config: { intercept: { admission: "early" } },
    setup: ["iptables-nft -t mangle -A PREROUTING -i r0 -j MARK --set-mark 2"],
    says: inTheWay(
      /the rule "-i r0 -j MARK --set-xmark 0x2\/0xffffffff", chain PREROUTING of table ip mangle/,
      /Have it write its own bits alone/,
    ),
  },
  {
    name: "another transparent proxy with the same mark and table",
    setup: [
      "ip rule add fwmark 1 lookup 100",
      "ip route add local default dev lo table 100",
      "iptables-nft -t mangle -A PREROUTING -i r0 -p tcp -j TPROXY --on-port 12345 --tproxy-mark 1",
    ],
    says: inTheWay(/firewall: chain PREROUTING of table ip mangle/, /It is another transparent proxy's/),
  },
  {
    name: "a machine that does not forward",
    setup: ["sysctl -q -w net.ipv4.ip_forward=0"],
    says: inTheWay(/net\.ipv4\.ip_forward = 0/, /sysctl -w net\.ipv4\.ip_forward=1/),
  },
  {
    name: "strict rp_filter with two ways out",
    setup: [
      "ip route add default via 203.0.113.2 metric 9",
      "ip route add default via 10.77.1.2 metric 5",
      "sysctl -q -w net.ipv4.conf.all.rp_filter=1",
    ],
    says: {
      doctor: [
        0,
        /^ {2}warning +net\.ipv4\.conf\.all\.rp_filter = 1\n.*several ways out.*\n +sysctl -w .*=2/m,
      ],
    },
  },
  {
    name: "a machine without IPv6",
    setup: ["sysctl -q -w net.ipv6.conf.all.disable_ipv6=1"],
    says: {
      doctor: [0, /Only IPv4 is intercepted: IPv6 is disabled on this machine/],
      install: [0, /warning: Only IPv4 is intercepted: IPv6 is disabled on this machine/],
      status: [0, /^installed: yes/],
    },
  },
];

const STEPS: readonly Step[] = ["doctor", "install", "run", "status"];

for (const { name, setup = [], config, text, isNobody, says } of SITUATIONS) {
  labTest(`what is in the way is said: ${name}`, {
    forwarding: true,
    programs: ["socat", "setpriv", "iptables-legacy", "iptables-nft"],
    netlinkOnly: "it names the tables of nf_tables",
  }, async (lab) => {
    const path = text === undefined ? writeConfig(lab, config) : lab.writeFile("tproxy.yaml", text);
    for (const line of setup) await prepare(lab, line.split(" "));
    const wrapper = isNobody === true ? asNobody(lab) : [];
    for (const step of STEPS) {
      const expected = says[step];
      if (expected === undefined) continue;
      const argv = [step, "-c", path];
      const { stdout, stderr, code } = await lab.router.run([...wrapper, ...tproxyCommand(), ...argv], {
        mayFail: true,
      });
      assert.match(stdout + stderr, expected[1], step);
      assert.equal(code, expected[0], step);
    }
  });
}

async function prepare(lab: Lab, argv: readonly string[]): Promise<void> {
  if (argv[0] === "socat") await lab.router.start(argv, { listens: PROXY_PORT });
  else await lab.router.run(argv);
}
