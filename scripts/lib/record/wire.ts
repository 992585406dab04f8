/**
 * Records what `nft` and `ip` write to netlink, and what the kernel answers them, into
 * tests/testdata/wire/*.hex. Needs root, strace, nftables, iproute2, iptables. Each case runs in a network
 * namespace of its own.
 *
 *     scripts/record wire [NAME…]      all, or those whose names hold one of these words
 * @module
 */
const OUTPUT = new URL("../../../tests/testdata/wire/", import.meta.url);

/** A recorded command. */
interface Case {
  readonly name: string;
  /** Shell commands that come before, unrecorded. */
  readonly setup?: readonly string[];
  /** The recorded command: arguments of nft, ip or iptables-nft. */
  readonly command: readonly ["nft" | "ip" | "iptables-nft" | "ip6tables-nft", ...string[]];
  /** Record what was sent (the last send, which is the request proper) or all that was received. */
  readonly direction: "sent" | "received";
  /** Number of the message among those sent, if not the last. */
  readonly index?: number;
}

const CHAIN = "nft add table inet t; nft add chain inet t c; nft add chain inet t other";
const PORTS = "nft add set inet t ports '{ type inet_service; flags interval; }'";
const LAN = "nft add set inet t lan '{ type ifname; }'";

function nftRule(name: string, rule: string): Case {
  const command = ["nft", "add", "rule", "inet", "t", "c", ...rule.split(" ")] as const;
  return { name: `rule-${name}`, setup: [CHAIN, PORTS, LAN], command, direction: "sent" };
}

const NETS = "nft add set inet t nets '{ type ipv4_addr; flags interval; }'";
const NETS6 = "nft add set inet t nets6 '{ type ipv6_addr; flags interval; }'";
const MACS = "nft add set inet t macs '{ type ether_addr; }'";

const FLOWS =
  "nft add set inet t flows '{ type ipv4_addr . inet_service . ipv4_addr . inet_service; size 65536; " +
  "flags dynamic,timeout; timeout 3m; }'";
const FLOWS6 = FLOWS.replace("flows", "flows6").replaceAll("ipv4", "ipv6");

/** A rule as the plan of an install has it; see tests/unit/kernel/nft/lower_test.ts. */
function plannedRule(name: string, rule: string): Case {
  const setup = [CHAIN, PORTS, LAN, NETS, NETS6, MACS, FLOWS, FLOWS6];
  return { ...nftRule(`planned-${name}`, rule), setup };
}

const RUNNING = "nft add set inet t running '{ type nf_proto; size 2; flags dynamic,timeout; timeout 2s; }'";

/** The same, of what `intercept.router-traffic` adds. */
function plannedRouterRule(name: string, rule: string): Case {
  const { setup, ...planned } = plannedRule(name, rule);
  return { ...planned, setup: [...setup!, RUNNING] };
}

const WHOLE = `
table inet t {
  comment "ours"
  set lan { type ifname; elements = { "lan0", "lan1" } }
  set ports { type inet_service; flags interval; comment "p"; elements = { 80, 443, 8000-8100 } }
  set nets6 { type ipv6_addr; flags interval; elements = { fc00::/7 } }
  map m { type inet_service : verdict; elements = { 80 : accept, 81 : jump other } }
  set pairs { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 80-90 } }
  chain other { comment "regular"; }
  chain c {
    type filter hook prerouting priority raw - 10; policy accept;
    iifname != @lan return
    fib daddr type { local, broadcast } return comment "ours"
    meta l4proto tcp socket transparent 1 meta mark set meta mark | 1 notrack accept
    meta nfproto ipv4 tcp flags syn / fin,syn,rst,ack tproxy ip to 127.0.0.1:50080 counter
    tcp dport != 22-23 ct state established,related drop
    tcp dport @ports reject with tcp reset
    limit rate 1/second goto other
  }
}
`;

const CASES: readonly Case[] = [
  { name: "table-add", command: ["nft", "add", "table", "inet", "t"], direction: "sent" },
  {
    name: "table-add-comment",
    command: ["nft", 'add table inet t { comment "ours"; flags dormant; }'],
    direction: "sent",
  },
  {
    name: "table-delete",
    setup: ["nft add table inet t"],
    command: ["nft", "delete", "table", "inet", "t"],
    direction: "sent",
  },
  {
    name: "chain-add-base",
    setup: ["nft add table inet t"],
    command: ["nft", "add chain inet t c { type filter hook prerouting priority -310; policy drop; }"],
    direction: "sent",
  },
  {
    name: "chain-add-regular",
    setup: ["nft add table inet t"],
    command: ["nft", 'add chain inet t c { comment "hi"; }'],
    direction: "sent",
  },
  {
    name: "chain-delete",
    setup: [CHAIN],
    command: ["nft", "delete", "chain", "inet", "t", "c"],
    direction: "sent",
  },
  {
    name: "chain-flush",
    setup: [CHAIN],
    command: ["nft", "flush", "chain", "inet", "t", "c"],
    direction: "sent",
  },
  {
    name: "set-ifname",
    setup: ["nft add table inet t"],
    command: ["nft", 'add set inet t lan { type ifname; elements = { "lan0", "lan1" }; }'],
    direction: "sent",
  },
  {
    name: "set-ports",
    setup: ["nft add table inet t"],
    command: [
      "nft",
      "add set inet t ports { type inet_service; flags interval; elements = { 80, 8000-8100 }; }",
    ],
    direction: "sent",
  },
  {
    name: "set-nets4",
    setup: ["nft add table inet t"],
    command: [
      "nft",
      "add set inet t n { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 192.0.2.1-192.0.2.3, 255.255.255.255 }; }",
    ],
    direction: "sent",
  },
  {
    name: "set-ether",
    setup: ["nft add table inet t"],
    command: [
      "nft",
      "add set inet t d { type ether_addr; elements = { 02:00:5e:10:00:01, 02:00:5e:10:00:02 }; }",
    ],
    direction: "sent",
  },
  {
    name: "set-flows",
    setup: ["nft add table inet t"],
    command: [
      "nft",
      "add set inet t f { type ipv4_addr . inet_service . ipv4_addr . inet_service; size 65536; flags dynamic,timeout; timeout 3m; }",
    ],
    direction: "sent",
  },
  {
    name: "set-timeout",
    setup: ["nft add table inet t"],
    command: ["nft", "add set inet t a { type inet_proto; flags timeout; timeout 2s; elements = { tcp }; }"],
    direction: "sent",
  },
  {
    name: "set-nets",
    setup: ["nft add table inet t"],
    command: [
      "nft",
      "add set inet t n { type ipv6_addr; flags interval; elements = { fc00::/7, ff00::/8 }; }",
    ],
    direction: "sent",
  },
  {
    name: "set-concatenation",
    setup: ["nft add table inet t"],
    command: ["nft", "add set inet t d { type inet_proto . inet_service; elements = { tcp . 80 }; }"],
    direction: "sent",
  },
  {
    name: "set-concatenation-interval",
    setup: ["nft add table inet t"],
    command: [
      "nft",
      "add set inet t d { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 80-90 }; }",
    ],
    direction: "sent",
  },
  {
    name: "map-verdict",
    setup: [CHAIN],
    command: [
      "nft",
      "add map inet t m { type inet_service : verdict; elements = { 80 : accept, 81 : jump c }; }",
    ],
    direction: "sent",
  },
  {
    name: "element-delete",
    setup: ["nft add table inet t; nft add set inet t lan '{ type ifname; elements = { \"lan0\" }; }'"],
    command: ["nft", 'delete element inet t lan { "lan0" }'],
    direction: "sent",
  },
  {
    name: "rule-delete",
    setup: [CHAIN, "nft add rule inet t c accept"],
    command: ["nft", "delete", "rule", "inet", "t", "c", "handle", "3"],
    direction: "sent",
  },
  {
    name: "compat-target",
    command: ["iptables-nft", ..."-t mangle -A PREROUTING -p tcp -j TPROXY --on-port 50080".split(" ")],
    direction: "sent",
    index: 0,
  },
  {
    name: "compat-match",
    command: ["ip6tables-nft", ..."-t mangle -A PREROUTING -m socket --transparent".split(" ")],
    direction: "sent",
    index: 0,
  },
  nftRule("tproxy", "meta nfproto ipv4 meta l4proto tcp tproxy ip to 127.0.0.1:50080"),
  nftRule("tproxy6", "meta nfproto ipv6 meta l4proto udp tproxy ip6 to [::1]:50080"),
  nftRule("socket-mark", "meta l4proto tcp socket transparent 1 meta mark set meta mark | 1 notrack accept"),
  nftRule("socket-mark-equal", "socket mark & 4 == 4 accept"),
  nftRule("mark-masked", "meta mark & 0x4 == 0x4 notrack"),
  nftRule("bare-syn", "meta l4proto tcp tcp flags syn / fin,syn,rst,ack drop"),
  nftRule("lookup-inverted", "iifname != @lan return"),
  nftRule("ports", "tcp dport @ports jump other"),
  nftRule("ports-inverted", "meta l4proto udp th dport != @ports goto other"),
  nftRule("port-range", "tcp dport != 22-23 accept"),
  nftRule("fib", "fib daddr type local return"),
  nftRule("ct-state", "ct state established,related accept"),
  nftRule("reject-reset", "meta l4proto tcp reject with tcp reset"),
  nftRule("reject-icmpx", "meta l4proto udp reject with icmpx port-unreachable"),
  nftRule("counter-comment", 'counter comment "hello"'),
  nftRule("anonymous-set", "meta l4proto { tcp, udp } accept"),
  plannedRule("interface-name", 'iifname != "lan0" fib daddr type != local return'),
  plannedRule("addresses", "meta nfproto ipv4 ip saddr @nets ip daddr @nets goto other"),
  plannedRule("addresses6", "meta nfproto ipv6 ip6 saddr @nets6 ip6 daddr @nets6 accept"),
  plannedRule("hardware-address", "ether saddr @macs drop"),
  plannedRule("socket-mark", "meta l4proto tcp socket transparent 1 socket mark 0x4 notrack accept"),
  plannedRule("mark", "meta mark 0x4 notrack"),
  plannedRule(
    "every-matcher",
    "meta nfproto ipv4 meta l4proto tcp th dport @ports iifname @lan ether saddr @macs ip saddr @nets drop",
  ),
  plannedRule(
    "icmp-too-big",
    "icmp type destination-unreachable icmp code frag-needed socket transparent 1 accept",
  ),
  plannedRule("icmp6-too-big", "icmpv6 type packet-too-big socket transparent 1 accept"),
  plannedRule("icmp-unreachable", "icmp type destination-unreachable accept"),
  plannedRule("icmp6-unreachable", "icmpv6 type destination-unreachable accept"),
  plannedRule("known-flow", "meta l4proto udp ct state established,related accept"),
  plannedRule(
    "remember-flow",
    'oifname "lan0" meta nfproto ipv4 meta l4proto udp ct direction original ' +
      "update @flows { ip daddr . th dport . ip saddr . th sport }",
  ),
  plannedRule(
    "remember-flow6",
    "meta nfproto ipv6 meta l4proto udp update @flows6 { ip6 daddr . th dport . ip6 saddr . th sport }",
  ),
  plannedRule(
    "known-flow-set",
    "meta nfproto ipv4 meta l4proto udp ip saddr . th sport . ip daddr . th dport @flows " +
      "update @flows { ip saddr . th sport . ip daddr . th dport } accept",
  ),
  plannedRouterRule(
    "router-new",
    "tcp flags syn / fin,syn,rst,ack ct state new meta skuid != 4294967295 goto other",
  ),
  plannedRouterRule("router-marked", "meta mark != 0x0 fib saddr type != local return"),
  plannedRouterRule(
    "router-flow",
    "ct direction original ct mark & 0x3 == 0x3 meta mark set meta mark | 0x3 accept",
  ),
  plannedRouterRule("router-forget", "ct mark & 0x3 == 0x3 ct mark set ct mark & 0xfffffffc"),
  plannedRouterRule("router-take", "meta nfproto @running ct mark set ct mark | 0x3 accept"),
  plannedRouterRule("router-loopback", "meta mark & 0x3 != 0x3 return"),
  plannedRouterRule(
    "router-show",
    'oifname "lo" meta mark 0x4 meta l4proto udp meta length 68 update @running { meta nfproto }',
  ),
  plannedRule("block-tcp", "tcp flags syn / fin,syn,rst,ack reject with tcp reset"),
  plannedRule("block-udp", "meta l4proto udp reject with icmpx port-unreachable"),
  {
    name: "dump-ruleset",
    setup: ["whole"],
    command: ["nft", "-a", "list", "ruleset"],
    direction: "received",
  },
  { name: "link-up", command: ["ip", "link", "set", "dev", "lo", "up"], direction: "sent" },
  {
    name: "link-veth",
    command: ["ip", "link", "add", "a0", "type", "veth", "peer", "name", "b0", "netns", "1"],
    direction: "sent",
  },
  {
    name: "link-delete",
    setup: ["ip link add a0 type veth peer name b0"],
    command: ["ip", "link", "delete", "dev", "a0"],
    direction: "sent",
  },
  {
    name: "address-add",
    command: ["ip", "address", "add", "192.0.2.1/24", "dev", "lo"],
    direction: "sent",
  },
  {
    name: "address-add6",
    command: ["ip", "address", "add", "2001:db8::1/64", "dev", "lo", "nodad"],
    direction: "sent",
  },
  {
    name: "routing-rule-add",
    command: [..."ip rule add priority 500 fwmark 1/1 iif lan0 lookup 100 protocol 50".split(" ")] as ["ip"],
    direction: "sent",
  },
  {
    name: "routing-rule-add6",
    command: [..."ip -6 rule add priority 500 fwmark 1/1 iif lan0 lookup 1000 protocol 50".split(" ")] as [
      "ip",
    ],
    direction: "sent",
  },
  {
    name: "route-add-local",
    command: [..."ip route add local default dev lo table 100 protocol 50".split(" ")] as ["ip"],
    direction: "sent",
  },
  {
    name: "route-add-local6",
    setup: ["ip link set lo up"],
    command: [..."ip -6 route add local default dev lo table 1000 protocol 50".split(" ")] as ["ip"],
    direction: "sent",
  },
  {
    name: "route-get",
    setup: ["ip link set lo up"],
    command: [..."ip route get 127.0.0.2 from 127.0.0.1 mark 1".split(" ")] as ["ip"],
    direction: "sent",
    index: 0,
  },
  {
    name: "dump-links",
    setup: [
      "ip link add a0 type veth peer name b0; ip link add br0 type bridge; ip link set a0 master br0 up",
    ],
    command: ["ip", "-d", "link", "show"],
    direction: "received",
  },
  {
    name: "dump-addresses",
    setup: ["ip link set lo up; ip address add 192.0.2.1 peer 192.0.2.9/32 dev lo"],
    command: ["ip", "address", "show"],
    direction: "received",
  },
  {
    name: "dump-rules",
    setup: [
      "ip rule add priority 500 fwmark 1/1 iif lan0 lookup 1000; ip rule add not from 10.0.0.0/8 dport 5 prohibit",
    ],
    command: ["ip", "rule", "show"],
    direction: "received",
  },
  {
    name: "dump-routes",
    setup: [
      "ip link set lo up; ip address add 192.0.2.1/24 dev lo; ip route add default via 192.0.2.9 metric 5; ip route add blackhole 10.0.0.0/8 table 1000",
    ],
    command: ["ip", "route", "show", "table", "all"],
    direction: "received",
  },
];

/** The datagrams of strace's dumps: `| 00010  xx xx …  text |` lines after each call. */
function datagrams(trace: string): Uint8Array[] {
  const found: number[][] = [];
  for (const line of trace.split("\n")) {
    const match = /^ \| [0-9a-f]{5,} {2}((?:[0-9a-f]{2} {1,2}){1,16})/.exec(line);
    if (match !== null) found.at(-1)?.push(...match[1].trim().split(/ +/).map((byte) => parseInt(byte, 16)));
    else if (/^(send|recv)/.test(line)) found.push([]);
  }
  return found.filter((bytes) => bytes.length > 0).map((bytes) => Uint8Array.from(bytes));
}

function run(command: string, args: readonly string[]): string {
  const { success, stdout, stderr } = new Deno.Command(command, { args: [...args] }).outputSync();
  if (!success) {
    throw new Error(`Cannot run "${command} ${args.join(" ")}": ${new TextDecoder().decode(stderr)}`);
  }
  return new TextDecoder().decode(stdout).trim();
}

function quote(argument: string): string {
  return `'${argument.replaceAll("'", `'\\''`)}'`;
}

function record(recorded: Case, directory: string): Uint8Array[] {
  const trace = `${directory}/trace`;
  const whole = `${directory}/whole.nft`;
  const calls = recorded.direction === "sent"
    ? ["sendmsg,sendto", "write=all"]
    : ["recvmsg,recvfrom", "read=all"];
  const setup = (recorded.setup ?? []).map((line) => line === "whole" ? `nft -f ${whole}` : line);
  const strace = [
    "strace",
    "-o",
    trace,
    "-s",
    "0",
    "-e",
    `trace=${calls[0]}`,
    "-e",
    calls[1],
    ...recorded.command,
  ];
  Deno.writeTextFileSync(whole, WHOLE);
  // With a pid namespace too: "netns 1" is then the laboratory itself.
  run("unshare", [
    "-n",
    "-p",
    "-f",
    "--mount-proc",
    "sh",
    "-ec",
    [...setup, strace.map(quote).join(" ")].join("\n"),
  ]);
  const found = datagrams(Deno.readTextFileSync(trace));
  return recorded.direction === "sent" ? [found.at(recorded.index ?? -1)!] : found;
}

function hexLines(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let offset = 0; offset < bytes.length; offset += 16) {
    const row = [...bytes.subarray(offset, offset + 16)];
    lines.push(row.map((byte) => byte.toString(16).padStart(2, "0")).join(" "));
  }
  return lines.join("\n");
}

if (import.meta.main) {
  Deno.mkdirSync(OUTPUT, { recursive: true });
  const iptables = run("iptables-nft", ["--version"]);
  const versions = {
    nft: run("nft", ["--version"]),
    ip: run("ip", ["-V"]),
    "iptables-nft": iptables,
    "ip6tables-nft": iptables,
  };
  const directory = Deno.makeTempDirSync();
  const isAsked = ({ name }: Case) => Deno.args.length === 0 || Deno.args.some((word) => name.includes(word));
  for (const recorded of CASES.filter(isAsked)) {
    const found = record(recorded, directory);
    const heading = [
      `# ${recorded.command.join(" ")}`,
      `# ${versions[recorded.command[0]]}, Linux ${Deno.osRelease()}, ${recorded.direction}`,
      ...(recorded.setup ?? []).flatMap((line) => (line === "whole" ? WHOLE.trim() : line).split("\n"))
        .map((line) => `# before: ${line}`),
    ];
    const text = [heading.join("\n"), ...found.map(hexLines)].join("\n\n") + "\n";
    Deno.writeTextFileSync(new URL(`${recorded.name}.hex`, OUTPUT), text);
    Deno.stdout.writeSync(new TextEncoder().encode(`${recorded.name}: ${found.length} datagrams\n`));
  }
  Deno.removeSync(directory, { recursive: true });
}
