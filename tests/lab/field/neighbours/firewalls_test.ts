/** Rule sets of the shape of fw4's, firewalld's, ufw's and of a Debian howto's, written anew. */
import { fieldTest } from "../../../laboratory/field/field.ts";
import { every } from "../../../laboratory/field/probes.ts";

fieldTest("fw4: zones lan, guest and wan", {
  router: `nft -f - <<END
table inet fw4 {
  ct helper ftp { type "ftp" protocol tcp; }
  chain input {
    type filter hook input priority filter; policy drop;
    iifname lo accept
    ct state vmap { established : accept, related : accept }
    tcp flags & (fin | syn | rst | ack) == syn jump syn_flood
    meta l4proto ipv6-icmp accept
    iifname r0 jump input_lan
    iifname r4 jump input_guest
    iifname { r1, r3 } jump input_wan
    jump handle_reject
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state vmap { established : accept, related : accept }
    iifname r0 jump forward_lan
    iifname r4 jump forward_guest
    iifname { r1, r3 } jump forward_wan
    jump handle_reject
  }
  chain output {
    type filter hook output priority filter; policy drop;
    oifname lo accept
    ct state vmap { established : accept, related : accept }
    oifname { r0, r1, r3, r4, r2 } ct state { new, untracked } accept
    jump handle_reject
  }
  chain prerouting {
    type filter hook prerouting priority filter; policy accept;
    iifname r0 tcp dport 21 ct helper set "ftp"
  }
  chain handle_reject { meta l4proto tcp reject with tcp reset; reject with icmpx port-unreachable; }
  chain syn_flood { limit rate 25/second burst 50 packets return; drop; }
  chain input_lan { ct status dnat accept; accept; }
  chain input_guest { meta l4proto ipv6-icmp accept; meta l4proto udp udp dport { 53, 67 } accept; jump handle_reject; }
  chain input_wan { icmp type echo-request accept; meta nfproto ipv6 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, echo-request } accept; drop; }
  chain forward_lan { oifname { r1, r3, r2 } ct state { new, untracked } accept; ct status dnat accept; jump handle_reject; }
  chain forward_guest { oifname { r1, r3 } ct state { new, untracked } accept; jump handle_reject; }
  chain forward_wan { ct status dnat accept; jump handle_reject; }
  chain dstnat { type nat hook prerouting priority dstnat; policy accept; }
  chain srcnat { type nat hook postrouting priority srcnat; policy accept; oifname { r1, r3 } masquerade; }
  chain raw_prerouting { type filter hook prerouting priority raw; policy accept; }
  chain mangle_forward { type filter hook forward priority mangle; oifname { r1, r3 } tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu; }
}
END`,
  probes: [
    ...every("server", 80, "server sees wan"),
    ...every("server", 443, "server sees wan", { from: "guest" }),
    ...every("private", 80, "private sees client"),
    ...every("private", 80, "refused", { from: "guest" }),
    ...every("client", 80, "refused", { from: "server" }),
    ...every("guests", 80, "refused", { from: "guest" }),
  ],
});

fieldTest("firewalld: zones internal and external, with policies and helpers", {
  router: `nft -f - <<END
table inet firewalld {
  chain mangle_PREROUTING { type filter hook prerouting priority mangle + 10; policy accept; iifname r4 meta mark set 0x66; }
  chain nat_PREROUTING { type nat hook prerouting priority dstnat + 10; policy accept; }
  chain nat_POSTROUTING { type nat hook postrouting priority srcnat + 10; policy accept; oifname { r1, r3 } goto nat_POST_external; }
  chain nat_POST_external { meta nfproto ipv4 oifname != lo masquerade; }
  chain filter_PREROUTING {
    type filter hook prerouting priority filter + 10; policy accept;
    icmpv6 type { nd-router-advert, nd-neighbor-solicit } accept
    meta nfproto ipv6 fib saddr . mark . iif oif missing drop
  }
  chain filter_INPUT {
    type filter hook input priority filter + 10; policy accept;
    ct state { established, related } accept
    ct status dnat accept
    iifname lo accept
    ct state invalid drop
    meta l4proto ipv6-icmp accept
    iifname r0 tcp dport 22 ct state new,untracked accept
    reject with icmpx admin-prohibited
  }
  chain filter_FORWARD {
    type filter hook forward priority filter + 10; policy accept;
    ct state { established, related } accept
    ct status dnat accept
    iifname lo accept
    ct state invalid drop
    ip6 daddr { ::/96, 2002::/24 } reject with icmpv6 addr-unreachable
    iifname { r0, r4 } oifname { r1, r3 } accept
    reject with icmpx admin-prohibited
  }
  chain filter_OUTPUT {
    type filter hook output priority filter + 10; policy accept;
    ct state { established, related } accept
    oifname lo accept
    ip6 daddr { ::/96, 2002::/24 } reject with icmpv6 addr-unreachable
  }
}
END`,
  probes: [
    ...every("server", 80, { 4: "server sees wan", 6: "server sees client" }),
    ...every("private", 80, { 4: "host unreachable", 6: "EACCES" }),
  ],
});

fieldTest("ufw: limits, logging, and a default of deny", {
  programs: ["iptables", "ip6tables"],
  router: `for t in iptables ip6tables; do
  for c in before-input before-forward before-output user-input user-forward skip-to-policy; do $t -N ufw-$c; done
  $t -P INPUT DROP; $t -P FORWARD DROP; $t -P OUTPUT ACCEPT
  $t -A INPUT -j ufw-before-input
  $t -A FORWARD -j ufw-before-forward
  $t -A OUTPUT -j ufw-before-output
  $t -A ufw-before-input -i lo -j ACCEPT
  $t -A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
  $t -A ufw-before-input -m conntrack --ctstate INVALID -j DROP
  $t -A ufw-before-input -j ufw-user-input
  $t -A ufw-user-input -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --set --name DEFAULT
  $t -A ufw-user-input -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --update --seconds 30 --hitcount 6 --name DEFAULT -j DROP
  $t -A ufw-user-input -p tcp --dport 22 -j ACCEPT
  $t -A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
  $t -A ufw-before-forward -j ufw-user-forward
  $t -A ufw-user-forward -i r0 -o r1 -j ACCEPT
  $t -A ufw-user-forward -i r4 -o r1 -p tcp -m multiport --dports 80,443 -j ACCEPT
  $t -A ufw-before-output -o lo -j ACCEPT
  $t -A ufw-before-output -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
  $t -t nat -A POSTROUTING -o r1 -j MASQUERADE
done
ip6tables -I INPUT -p ipv6-icmp -j ACCEPT
iptables -A ufw-before-input -m addrtype --dst-type LOCAL -j RETURN`,
  probes: [
    ...every("server", 22, "server sees wan"),
    ...every("server", 80, "server sees wan"),
    ...every("server", 443, { tcp: "server sees wan", udp: "silence" }, { from: "guest" }),
    ...every("private", 80, "silence", { silenceMs: 400 }),
  ],
});

fieldTest("Debian with iptables: established, SSH from the LAN, and nothing else", {
  programs: ["iptables", "ip6tables"],
  router: `for t in iptables ip6tables; do
  $t -P INPUT DROP
  $t -P FORWARD DROP
  $t -A INPUT -i lo -j ACCEPT
  $t -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
  $t -A INPUT -i r0 -p tcp --dport 22 -j ACCEPT
  $t -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
  $t -A FORWARD -i r0 -o r1 -j ACCEPT
  $t -t nat -A POSTROUTING -o r1 -j MASQUERADE
done
ip6tables -A INPUT -p ipv6-icmp -j ACCEPT`,
  probes: [
    ...every("server", 80, "server sees wan"),
    ...every("server", 80, "silence", { from: "guest", silenceMs: 400 }),
  ],
});
