/**
 * Random pieces of a router beyond nft: policy routing, links, sysctls, firewalls of iptables.
 * @module
 */
import { lanBridge } from "../field/bridge.ts";
import { FIELD } from "../field/places.ts";
import type { Random } from "../proxy/policies.ts";
import { MARKS } from "./matches.ts";
import type { Piece } from "./router.ts";

function commands(text: string): Piece {
  return { kind: "commands", commands: text };
}

/** Table 202 leads out the second way. */
const SECOND = `ip route replace default via ${FIELD.other[4]} table 202
ip -6 route replace default via ${FIELD.other[6]} dev r3 table 202`;
/** Table 203 knows nothing of its own for some. */
const THROWS = `ip route replace throw 192.0.2.0/24 table 203
ip route replace default via ${FIELD.other[4]} table 203
ip -6 route replace throw 2001:db8:99::/64 table 203
ip -6 route replace default via ${FIELD.other[6]} dev r3 table 203`;

/** Policy routing. */
export function routingPieces(random: Random): Piece[] {
  const pieces: Piece[] = [];
  for (let count = random.chance(55) ? 1 + random.below(3) : 0; count > 0; count--) {
    const mark = random.one(MARKS);
    const selector = random.one([
      `fwmark ${mark}`,
      `fwmark ${mark}`,
      `fwmark ${mark}/${mark}`,
      `fwmark ${mark}/0xff`,
      "iif r0",
      "iif r4",
      `FROM`,
      "dsfield 0xb8",
      `iif r0 ipproto tcp dport ${random.one([80, 443, 53])}`,
      `ipproto udp dport ${random.one([80, 443, 53])}`,
      `ipproto tcp sport ${20_000}-${20_000 + random.below(20)}`,
      `iif r0 fwmark ${mark}`,
      `not fwmark ${mark}`,
    ]);
    const action = random.one([
      "lookup 202",
      "lookup 202",
      "lookup 202",
      "lookup 203",
      "prohibit",
      "unreachable",
      "blackhole",
    ]);
    const pref = random.one([50, 600, 5000, 30_000, 32_765]) + count;
    const words = (from: string) =>
      `pref ${pref} ${selector.replace("FROM", `from ${from}`)} ${
        selector.includes("not") ? "lookup 202" : action
      }`;
    pieces.push(commands(`${SECOND}
${THROWS}
ip rule add ${words("10.77.1.0/24")}
ip -6 rule add ${words("fd77:1::/64")}`));
  }
  if (random.chance(10)) {
    pieces.push(
      commands(
        "ip rule add pref 20 lookup main suppress_prefixlength 0\nip -6 rule add pref 20 lookup main suppress_prefixlength 0",
      ),
    );
  }
  if (random.chance(12)) {
    const type = random.one(["blackhole", "unreachable", "prohibit", "throw"]);
    pieces.push(commands(`ip route add ${type} ${FIELD.anycast[4]}/32
ip -6 route add ${type} ${FIELD.anycast[6]}/128`));
  }
  if (random.chance(10)) {
    pieces.push(
      commands(`ip route replace default nexthop via ${FIELD.server[4]} nexthop via ${FIELD.other[4]}
sysctl -qw net.ipv4.fib_multipath_hash_policy=${random.below(2)} net.ipv4.fib_multipath_hash_seed=7`),
    );
  }
  if (random.chance(8)) {
    pieces.push(
      commands(
        `ip route replace default via ${FIELD.other[4]} metric 10\nip -6 route replace default via ${
          FIELD.other[6]
        } metric 10`,
      ),
    );
  }
  if (random.chance(6)) pieces.push(commands(`ip route del default\nip -6 route del default`));
  if (random.chance(6)) {
    pieces.push(
      commands(`ip route replace ${FIELD.anycast[4]}/32 via ${FIELD.other[4]} src ${FIELD.lan[4]} mtu 1300`),
    );
  }
  if (random.chance(6)) {
    pieces.push(commands(`ip route replace ${FIELD.anycast[4]}/32 via ${FIELD.server[4]} advmss 1000`));
  }
  return pieces;
}

const SYSCTLS: readonly (readonly [string, readonly (string | number)[]])[] = [
  ["net.ipv4.tcp_syncookies", [0, 1, 2]],
  ["net.ipv4.tcp_timestamps", [0, 1, 2]],
  ["net.ipv4.tcp_ecn", [0, 1, 2]],
  ["net.ipv4.tcp_mtu_probing", [0, 1, 2]],
  ["net.ipv4.ip_default_ttl", [64, 128, 200]],
  ["net.ipv4.icmp_errors_use_inbound_ifaddr", [0, 1]],
  ["net.ipv4.fwmark_reflect", [0, 1]],
  ["net.ipv4.tcp_fwmark_accept", [0, 1]],
  ["net.ipv4.ip_forward_use_pmtu", [0, 1]],
  ["net.ipv4.ip_nonlocal_bind", [0, 1]],
  ["net.ipv6.ip_nonlocal_bind", [0, 1]],
  ["net.ipv4.ip_early_demux", [0, 1]],
  ["net.ipv4.tcp_abort_on_overflow", [0, 1]],
  ["net.ipv4.tcp_tw_reuse", [0, 1, 2]],
  ["net.ipv4.tcp_sack", [0, 1]],
  ["net.ipv4.tcp_window_scaling", [0, 1]],
  ["net.ipv4.tcp_l3mdev_accept", [0, 1]],
  ["net.ipv4.ip_no_pmtu_disc", [0, 1]],
  ["net.ipv4.ip_local_port_range", ["30000 30200", "1024 65535"]],
  ["net.ipv4.conf.all.src_valid_mark", [0, 1]],
  ["net.ipv4.conf.all.send_redirects", [0, 1]],
  ["net.ipv4.conf.all.accept_local", [0, 1]],
  ["net.ipv4.conf.all.arp_ignore", [0, 1, 2]],
  ["net.ipv4.conf.all.arp_announce", [0, 2]],
  ["net.ipv4.conf.all.log_martians", [0, 1]],
  ["net.ipv4.conf.r0.route_localnet", [0, 1]],
  ["net.ipv6.flowlabel_reflect", [0, 1]],
  ["net.ipv6.auto_flowlabels", [0, 1]],
  ["net.netfilter.nf_conntrack_tcp_loose", [0, 1]],
  ["net.netfilter.nf_conntrack_tcp_be_liberal", [0, 1]],
  ["net.netfilter.nf_conntrack_checksum", [0, 1]],
  ["net.netfilter.nf_conntrack_acct", [0, 1]],
  ["net.netfilter.nf_conntrack_timestamp", [0, 1]],
];

/** Links, sysctls. */
export function machinePieces(random: Random): Piece[] {
  const pieces: Piece[] = [];
  if (random.chance(15)) {
    pieces.push({ kind: "links", commands: lanBridge(random.below(2)) });
  }
  for (let count = random.below(4); count > 0; count--) {
    const [name, values] = random.one(SYSCTLS);
    pieces.push(commands(`sysctl -qw ${name}="${random.one(values)}"`));
  }
  if (random.chance(35)) {
    const values = [random.below(3), random.below(3), random.below(3)];
    pieces.push(
      commands(
        `sysctl -qw net.ipv4.conf.all.rp_filter=${values[0]} net.ipv4.conf.r0.rp_filter=${
          values[1]
        } net.ipv4.conf.r1.rp_filter=${values[2]} net.ipv4.conf.r3.rp_filter=${values[2]}`,
      ),
    );
  }
  if (random.chance(12)) {
    const mtu = random.one([1300, 1400, 1492]);
    pieces.push({ kind: "commands", commands: `ip link set r1 mtu ${mtu}` }, {
      kind: "host",
      place: "server",
      commands: `ip link set s0 mtu ${mtu}`,
    });
  }
  if (random.chance(10)) {
    pieces.push({
      kind: "host",
      place: random.one(["server", "other"]),
      commands: `nft add table inet own
nft add chain inet own input '{ type filter hook input priority 0; }'
nft add rule inet own input ${random.one(["tcp", "udp"])} dport { 80, 443 } ${
        random.one(["drop", "reject", "reject with icmpx admin-prohibited"])
      }`,
    });
  }
  return pieces;
}

const IPTABLES = [
  "-t mangle -A PREROUTING -i r0 -j MARK --set-mark MARK",
  "-t mangle -A PREROUTING -p tcp -j CONNMARK --restore-mark",
  "-t mangle -A PREROUTING -m mark --mark 0 -p tcp --dport 80 -j MARK --set-xmark MARK/MARK",
  "-t mangle -A PREROUTING -j CONNMARK --save-mark",
  "-t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
  "-t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1280",
  "-t mangle -A POSTROUTING -o r1 -j DSCP --set-dscp-class EF",
  "-t mangle -A FORWARD -p udp -j DSCP --set-dscp 8",
  "-t mangle -A POSTROUTING -o r1 -j CLASSIFY --set-class 1:7",
  "-A FORWARD -m conntrack --ctstate INVALID -j DROP",
  "-A FORWARD -m conntrack --ctstate NEW -p tcp --dport 443 -m connlimit --connlimit-above 2 -j REJECT",
  "-A FORWARD -m conntrack --ctstate NEW -p tcp -m limit --limit 1/hour --limit-burst 4 -j ACCEPT",
  "-A FORWARD -m conntrack --ctstate NEW -p tcp --dport 80 -j REJECT --reject-with tcp-reset",
  "-A FORWARD -m conntrack --ctstate NEW -p udp --dport 53 -j DROP",
  "-A FORWARD -m conntrack --ctstate NEW -m recent --name seen --set",
  "-A FORWARD -m conntrack --ctstate NEW -p tcp -m recent --name seen --rcheck --hitcount 6 -j DROP",
  "-A FORWARD -m conntrack --ctstate NEW -m statistic --mode nth --every 5 -p tcp -j REJECT",
  "-A FORWARD -m conntrack --ctstate NEW -m hashlimit --hashlimit-name h --hashlimit-above 1/hour --hashlimit-burst 5 --hashlimit-mode srcip,dstport -j DROP",
  "-A FORWARD -m conntrack --ctstate NEW -m mark --mark MARK -j REJECT",
  "-A FORWARD -m conntrack --ctstate NEW -m connmark --mark MARK -j DROP",
  "-A FORWARD -m conntrack --ctstate NEW -m rpfilter --invert -j DROP",
  "-A FORWARD -m conntrack --ctstate NEW -m tcp -p tcp --tcp-option 8 -j ACCEPT",
  "-t nat -A POSTROUTING -o r1 -j MASQUERADE",
  "-t nat -A POSTROUTING -o r3 -j MASQUERADE --random",
  "-t nat -A PREROUTING -i r0 -p udp --dport 53 -j REDIRECT",
  "-t nat -A PREROUTING -i r0 -p tcp --dport 443 -j REDIRECT --to-ports 8080",
  "-P FORWARD DROP",
] as const;

/** Rules of iptables-nft or iptables-legacy, both families. */
export function iptablesPieces(random: Random): Piece[] {
  if (!random.chance(25)) return [];
  const variant = random.one(["nft", "legacy"]);
  const pieces: Piece[] = [];
  for (let count = 1 + random.below(4); count > 0; count--) {
    const words = random.one(IPTABLES).replaceAll("MARK/MARK", "MARQ/MARQ").replace(
      "--set-mark MARK",
      "--set-mark MARQ",
    )
      .replace("--mark MARK", "--mark MARQ").replaceAll("MARQ", random.one(MARKS));
    const open = words === "-P FORWARD DROP"
      ? [
        "-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
        "-A FORWARD -i r0 -o r1 -j ACCEPT",
        "-A FORWARD -p ipv6-icmp -j ACCEPT",
      ]
      : [];
    pieces.push(
      commands(
        ["iptables", "ip6tables"].flatMap((program) =>
          [...open, words].filter((line) => program === "ip6tables" || !line.includes("ipv6-icmp"))
            .map((line) => `${program}-${variant} ${line}`)
        ).join("\n"),
      ),
    );
  }
  return pieces;
}
