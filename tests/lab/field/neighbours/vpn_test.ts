/** Rule sets of the shape of Tailscale's, NetBird's, wg-quick's and strongSwan's, written anew. */
import { fieldTest } from "../../../laboratory/field/field.ts";
import { every } from "../../../laboratory/field/probes.ts";
import { chain, table } from "../../../laboratory/field/rules.ts";

// The second way out, r3, stands for the tunnel; in Tailscale and NetBird it is the guests' r4.

fieldTest("Tailscale: subnet router and exit node", {
  programs: ["iptables", "ip6tables"],
  tailscaleSysctls: true,
  router: `for t in iptables ip6tables; do
  $t -N ts-input
  $t -N ts-forward
  $t -I INPUT -j ts-input
  $t -I FORWARD -j ts-forward
  $t -A ts-input -i r4 -j ACCEPT
  $t -A ts-forward -i r4 -j MARK --set-mark 0x40000/0xff0000
  $t -A ts-forward -m mark --mark 0x40000/0xff0000 -j ACCEPT
  $t -A ts-forward -o r4 -j ACCEPT
  $t -t nat -N ts-postrouting
  $t -t nat -I POSTROUTING -j ts-postrouting
  $t -t nat -A ts-postrouting -m mark --mark 0x40000/0xff0000 -j MASQUERADE
done
iptables -A ts-input -s 100.64.0.0/10 ! -i r4 -j DROP
iptables -A ts-forward -o r4 -s 100.64.0.0/10 -j DROP
for family in -4 -6; do
  ip $family rule add pref 5210 fwmark 0x80000/0xff0000 lookup main
  ip $family rule add pref 5230 fwmark 0x80000/0xff0000 lookup default
  ip $family rule add pref 5250 fwmark 0x80000/0xff0000 unreachable
  ip $family rule add pref 5270 lookup 52
done
ip route add 100.64.0.0/10 dev r4 table 52`,
  // From client to client nothing needs a proxy.
  forwarded: "oifname r4",
  probes: [
    ...every("server", 80, "server sees wan", { from: "guest" }),
    ...every("private", 443, "private sees dmz", { from: "guest" }),
    ...every("server", 80, "server sees client"),
    ...every("guest", 80, "guest sees client"),
  ],
});

fieldTest("NetBird: marks on all that a peer sends", {
  router: `${
    table(
      "netbird",
      chain(
        "filter",
        "prerouting mangle",
        "iifname r4 ct state new ct mark set 0x1bd01\niifname r4 ct state new meta mark set 0x1bd01",
      ),
      chain("filter", "forward 0", "iifname r4 accept; oifname r4 accept"),
      chain("nat", "postrouting srcnat", "meta mark 0x1bd01 oifname != r4 masquerade"),
    )
  }
for family in -4 -6; do
  ip $family rule add pref 105 lookup main suppress_prefixlength 0
  ip $family rule add pref 110 not fwmark 0x1bd00 lookup 7120
done
ip route add 192.0.2.0/24 via 198.18.0.2 table 7120
ip -6 route add 2001:db8:99::/64 via 2001:db8:78::2 table 7120`,
  probes: [
    ...every("server", 80, "server sees wan", { from: "guest" }),
    ...every("anycast", 443, "other sees wan2", { from: "guest" }),
    ...every("anycast", 80, "other sees client"),
  ],
});

fieldTest("wg-quick: all of the LAN through the tunnel", {
  router: `for family in -4 -6; do
  ip $family rule add not fwmark 51820 lookup 51820
  ip $family rule add lookup main suppress_prefixlength 0
done
ip route add default via 198.18.0.2 table 51820
ip -6 route add default via 2001:db8:78::2 table 51820
sysctl -qw net.ipv4.conf.all.src_valid_mark=1
${
    table(
      "wg-quick-wg0",
      chain("filter", "prerouting raw", "iifname != r3 ip daddr 198.18.0.1 fib saddr type != local drop"),
      chain("filter", "postrouting mangle", "meta l4proto udp meta mark 51820 ct mark set meta mark"),
    ).replace("prerouting {", "preraw {").replace("postrouting {", "postmangle {")
  }
nft -f - <<END
table inet wg-quick-wg0 {
  chain premangle { type filter hook prerouting priority mangle; meta l4proto udp meta mark set ct mark
  }
}
END
${table("nat", chain("nat", "postrouting srcnat", "oifname r3 masquerade"))}`,
  probes: [...every("anycast", 80, "other sees wan2"), ...every("private", 80, "private sees client")],
});

fieldTest("strongSwan: table 220 for remote networks", {
  router: `for family in -4 -6; do ip $family rule add pref 220 lookup 220; done
ip route add 192.0.2.0/24 via 198.18.0.2 table 220 src 198.18.0.1
ip -6 route add 2001:db8:99::/64 via 2001:db8:78::2 table 220
${
    table(
      "vpn",
      chain(
        "nat",
        "postrouting srcnat",
        "ip daddr 192.0.2.0/24 accept\nip6 daddr 2001:db8:99::/64 accept\noifname { r1, r3 } masquerade",
      ),
      chain("filter", "forward mangle", "tcp flags & (syn | rst) == syn tcp option maxseg size set 1360"),
    )
  }`,
  probes: [...every("anycast", 80, "other sees client"), ...every("server", 443, "server sees wan")],
});
