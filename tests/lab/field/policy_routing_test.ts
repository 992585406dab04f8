/** Routes of clients by mark, by interface, by source (field case 3), and marks of others (field case 10). */
import { fieldTest } from "../../laboratory/field/field.ts";
import { every } from "../../laboratory/field/probes.ts";
import { chain, table } from "../../laboratory/field/rules.ts";

/** Table 202 leads out the second way. */
const TABLE = `ip route add default via 198.18.0.2 table 202
ip -6 route add default via 2001:db8:78::2 table 202`;

/** A rule in both families. */
function rule(words: string, ipv6 = words): string {
  return `${TABLE}\nip rule add ${words}\nip -6 rule add ${ipv6}`;
}

/** A chain of prerouting after conntrack, as everybody marks in it. */
function marking(rules: string): string {
  return table("pbr", chain("filter", "prerouting mangle", rules));
}

const OUT_THERE = [
  ...every("anycast", 80, "other sees client"),
  ...every("anycast", 443, "server sees guest", { from: "guest" }),
];

fieldTest("a provider by a mark of prerouting", {
  router: `${marking("iifname r0 meta mark set meta mark & 0xff00ffff | 0x00020000;")}
${rule("pref 30000 fwmark 0x20000/0xff0000 lookup 202")}`,
  probes: OUT_THERE,
});

fieldTest("a provider by the incoming interface", {
  router: rule("pref 30000 iif r0 lookup 202"),
  probes: OUT_THERE,
});

fieldTest("a provider by the source", {
  router: rule("pref 30000 from 10.77.1.0/24 lookup 202", "pref 30000 from fd77:1::/64 lookup 202"),
  probes: OUT_THERE,
});

fieldTest("a provider by port and protocol of a rule", {
  router: rule("pref 30000 iif r0 ipproto udp dport 443 lookup 202"),
  probes: every("anycast", 443, { tcp: "server sees client", udp: "other sees client" }),
});

fieldTest("marks that are written whole in prerouting", {
  programs: ["iptables", "ip6tables"],
  router: `iptables -t mangle -A PREROUTING -i r0 -j MARK --set-mark 2
ip6tables -t mangle -A PREROUTING -i r0 -j MARK --set-mark 2
iptables -t mangle -A PREROUTING -i r1 -j MARK --set-mark 5
ip6tables -t mangle -A PREROUTING -i r1 -j MARK --set-mark 5
${rule("pref 20000 fwmark 2 lookup 202")}`,
  probes: OUT_THERE,
});

fieldTest("marks that are written whole and stay without effect", {
  programs: ["iptables"],
  router: "iptables -t mangle -A PREROUTING -j MARK --set-mark 7",
  probes: every("server", 80, "server sees client"),
});

fieldTest("two providers, whose choice is saved in the connection", {
  programs: ["iptables", "ip6tables"],
  router: `for t in iptables ip6tables; do
  $t -t mangle -A PREROUTING -j CONNMARK --restore-mark
  $t -t mangle -A PREROUTING -m mark ! --mark 0 -j ACCEPT
  $t -t mangle -A PREROUTING -i r0 -j MARK --set-mark 2
  $t -t mangle -A PREROUTING -i r4 -j MARK --set-mark 1
  $t -t mangle -A PREROUTING -i r3 -j MARK --set-mark 2
  $t -t mangle -A PREROUTING -j CONNMARK --save-mark
  $t -t nat -A POSTROUTING -o r3 -j MASQUERADE
done
${rule("pref 19000 lookup main suppress_prefixlength 0")}
${rule("pref 20000 fwmark 2 lookup 202").replace(TABLE, "")}`,
  probes: [
    ...every("anycast", 80, "other sees wan2"),
    ...every("anycast", 443, "server sees guest", { from: "guest" }),
  ],
});

fieldTest("a rule of somebody for mark 4, and for mark 1", {
  router: `ip route add default via 198.18.0.2 table 204
ip rule add pref 20 fwmark 4 lookup 204
ip rule add pref 21 fwmark 0x8/0x8 lookup 204
ip -6 route add default via 2001:db8:78::2 table 204
ip -6 rule add pref 20 fwmark 4 lookup 204`,
  probes: every("server", 80, "server sees client"),
});

fieldTest("strict reverse path filters that look at the mark", {
  tailscaleSysctls: true,
  router: `${marking("iifname { r0, r3 } meta mark set 0x30000")}
${rule("pref 29999 lookup main suppress_prefixlength 0")}
${rule("pref 30000 fwmark 0x30000 lookup 202").replace(TABLE, "")}`,
  probes: every("anycast", 80, "other sees client"),
});
