/** Rule sets of the shape of mwan3's, pbr's and keepalived's, written anew. */
import { fieldTest } from "../../../laboratory/field/field.ts";
import { every } from "../../../laboratory/field/probes.ts";
import { chain, table } from "../../../laboratory/field/rules.ts";

fieldTest("mwan3: connections are given to providers, and keep them", {
  programs: ["iptables", "ip6tables"],
  router: `for t in iptables ip6tables; do
  for name in hook rules wan wan2 connected; do $t -t mangle -N mwan3_$name; done
  $t -t mangle -A PREROUTING -j mwan3_hook
  $t -t mangle -A OUTPUT -j mwan3_hook
  [ $t = iptables ] || $t -t mangle -A mwan3_hook -p ipv6-icmp -j RETURN
  $t -t mangle -A mwan3_hook -j CONNMARK --restore-mark --nfmask 0x3f00 --ctmask 0x3f00
  $t -t mangle -A mwan3_hook -m mark --mark 0/0x3f00 -i r1 -j MARK --set-xmark 0x100/0x3f00
  $t -t mangle -A mwan3_hook -m mark --mark 0/0x3f00 -i r3 -j MARK --set-xmark 0x200/0x3f00
  $t -t mangle -A mwan3_hook -m mark --mark 0/0x3f00 -j mwan3_connected
  $t -t mangle -A mwan3_hook -m mark --mark 0/0x3f00 -j mwan3_rules
  $t -t mangle -A mwan3_hook -j CONNMARK --save-mark --nfmask 0x3f00 --ctmask 0x3f00
  $t -t mangle -A mwan3_rules -i r0 -p tcp --dport 443 -j MARK --set-xmark 0x200/0x3f00
  $t -t mangle -A mwan3_rules -i r4 -j MARK --set-xmark 0x200/0x3f00
  $t -t mangle -A mwan3_rules -m mark --mark 0/0x3f00 -j MARK --set-xmark 0x100/0x3f00
  $t -t nat -A POSTROUTING -o r1 -j MASQUERADE
  $t -t nat -A POSTROUTING -o r3 -j MASQUERADE
done
iptables -t mangle -A mwan3_connected -d 192.168.5.0/24 -j MARK --set-xmark 0x3f00/0x3f00
ip6tables -t mangle -A mwan3_connected -d fd77:5::/64 -j MARK --set-xmark 0x3f00/0x3f00
for family in -4 -6; do
  ip $family rule add pref 1001 iif r1 lookup main
  ip $family rule add pref 1003 iif r3 lookup main
  ip $family rule add pref 2001 fwmark 0x100/0x3f00 lookup 1
  ip $family rule add pref 2002 fwmark 0x200/0x3f00 lookup 2
  ip $family rule add pref 2061 fwmark 0x3d00/0x3f00 blackhole
done
ip route add default via 203.0.113.2 table 1
ip route add default via 198.18.0.2 table 2
ip -6 route add default via 2001:db8:77::2 table 1
ip -6 route add default via 2001:db8:78::2 table 2`,
  probes: [
    ...every("anycast", 80, "server sees wan"),
    ...every("anycast", 443, { tcp: "other sees wan2", udp: "server sees wan" }),
    ...every("anycast", 80, "other sees wan2", { from: "guest" }),
    ...every("private", 80, "private sees client"),
  ],
});

fieldTest("pbr: hosts and ports by sets, in prerouting", {
  router: `nft -f - <<END
table inet fw4 {
  set pbr_hosts { type ipv4_addr; elements = { 10.77.1.2 }
  }
  chain pbr_prerouting {
    ip saddr @pbr_hosts th dport { 80, 443 } goto pbr_mark_0x020000
    ip6 saddr fd77:1::/64 th dport { 80, 443 } goto pbr_mark_0x020000
  }
  chain pbr_mark_0x020000 {
    meta mark set meta mark & 0xff00ffff | 0x00020000
    return
  }
  chain mangle_prerouting {
    type filter hook prerouting priority mangle; policy accept;
    meta mark & 0x00ff0000 == 0 jump pbr_prerouting
  }
  chain srcnat { type nat hook postrouting priority srcnat; oifname { r1, r3 } masquerade
  }
}
END
for family in -4 -6; do
  ip $family rule add pref 29998 fwmark 0x20000/0xff0000 lookup 257
  ip $family rule add pref 30000 lookup main suppress_prefixlength 1
done
ip route add default via 198.18.0.2 table 257
ip -6 route add default via 2001:db8:78::2 table 257`,
  probes: [
    ...every("anycast", 80, "other sees wan2"),
    ...every("anycast", 53, "server sees wan"),
    ...every("anycast", 80, "server sees wan", { from: "guest" }),
  ],
});

fieldTest("keepalived: virtual addresses, virtual rules, and the packets of VRRP alone at input", {
  router: `ip addr add 10.77.1.100/32 dev r0
ip addr add 203.0.113.100/32 dev r1
ip rule add pref 200 from 10.77.1.0/24 lookup 210
ip -6 rule add pref 200 from fd77:1::/64 lookup 210
ip route add default via 198.18.0.2 table 210
ip -6 route add default via 2001:db8:78::2 table 210
ip route add 10.77.1.0/24 dev r0 table 210
ip -6 route add fd77:1::/64 dev r0 table 210
${
    table(
      "keepalived",
      chain("filter", "input -1", "ip daddr 10.77.1.100 ip protocol != vrrp drop"),
      chain("nat", "postrouting srcnat", "oifname r1 snat ip to 203.0.113.100"),
    )
  }`,
  probes: [
    ...every("anycast", 80, "other sees client"),
    ...every("server", 80, { 4: "server sees 203.0.113.100", 6: "server sees guest" }, { from: "guest" }),
  ],
});
