/** Rule sets of the shape of NixOS's (nftables and iptables) and Docker's, written anew. */
import { fieldTest } from "../../../laboratory/field/field.ts";
import { FIELD } from "../../../laboratory/field/places.ts";
import { every } from "../../../laboratory/field/probes.ts";

fieldTest("NixOS, nftables: masquerade by the inner interfaces, a strict reverse path filter", {
  router: `nft -f - <<END
table ip nixos-nat {
  chain pre { type nat hook prerouting priority dstnat; iifname r1 tcp dport 8080 dnat to 10.77.1.2; }
  chain post { type nat hook postrouting priority srcnat; iifname { "r0", "r4" } oifname "r1" masquerade comment "from internal interfaces"; }
}
table inet nixos-fw {
  chain rpfilter {
    type filter hook prerouting priority mangle + 10; policy drop;
    meta nfproto ipv4 udp sport . udp dport { 68 . 67, 67 . 68 } accept
    fib saddr . mark . iif oif exists accept
    jump rpfilter-allow
  }
  chain rpfilter-allow { }
  chain input {
    type filter hook input priority filter; policy drop;
    iifname { "lo" } accept
    ct state vmap { invalid : drop, established : accept, related : accept, new : jump input-allow, untracked : jump input-allow }
    tcp flags & (fin | syn | rst | ack) == syn log prefix "refused: "
  }
  chain input-allow { tcp dport 22 accept; icmp type echo-request accept; icmpv6 type != { nd-redirect, 139 } accept; }
}
END`,
  probes: [
    ...every("server", 80, { 4: "server sees wan", 6: "server sees client" }),
    ...every("client", 8080, "client sees server", { from: "server" }).filter(({ name }) =>
      name.includes("IPv6")
    ),
    ...every("private", 80, "private sees guest", { from: "guest" }),
  ],
});

fieldTest("NixOS, iptables: mark 1 on all that comes from the LAN", {
  programs: ["iptables"],
  config: { intercept: { ports: [80, 443] } },
  router: `iptables -w -t nat -N nixos-nat-pre
iptables -w -t nat -N nixos-nat-post
iptables -w -t nat -A nixos-nat-pre -i r0 -j MARK --set-mark 1
iptables -w -t nat -A nixos-nat-post -m mark --mark 1 -o r1 -j MASQUERADE
iptables -w -t nat -A PREROUTING -j nixos-nat-pre
iptables -w -t nat -A POSTROUTING -j nixos-nat-post`,
  // What is not intercepted is forwarded as ever.
  forwarded: "th dport 8080",
  probes: [
    ...every("server", 80, { 4: "server sees wan", 6: "server sees client" }),
    ...every("server", 8080, { 4: "server sees wan", 6: "server sees client" }),
  ],
});

fieldTest("Docker: a bridge with br_netfilter, published ports, its own DNS, FORWARD at DROP", {
  programs: ["iptables"],
  config: { intercept: { interfaces: ["r0", "docker0"] } },
  router: `sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1
ip link add docker0 type bridge
ip link set docker0 addrgenmode none
ip addr flush dev r4
ip link set r4 master docker0
ip addr add ${FIELD.guests[4]}/24 dev docker0
ip addr add ${FIELD.guests[6]}/64 dev docker0 nodad
ip link set docker0 up
iptables -P FORWARD DROP
for c in DOCKER DOCKER-USER DOCKER-ISOLATION-STAGE-1 DOCKER-ISOLATION-STAGE-2; do iptables -N $c; done
iptables -A FORWARD -j DOCKER-USER
iptables -A FORWARD -j DOCKER-ISOLATION-STAGE-1
iptables -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A FORWARD -o docker0 -j DOCKER
iptables -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
iptables -A FORWARD -i docker0 -o docker0 -j ACCEPT
iptables -A FORWARD -i r0 -j ACCEPT
iptables -A FORWARD -o r0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
iptables -A DOCKER-ISOLATION-STAGE-2 -o r2 -j DROP
iptables -A DOCKER ! -i docker0 -o docker0 -d 10.77.4.2 -p tcp --dport 80 -j ACCEPT
iptables -t nat -N DOCKER
iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
iptables -t nat -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
iptables -t nat -A POSTROUTING -s 10.77.4.0/24 ! -o docker0 -j MASQUERADE
iptables -t nat -A POSTROUTING -s 10.77.1.0/24 -o r1 -j MASQUERADE
iptables -t nat -A DOCKER -i docker0 -j RETURN
iptables -t nat -A DOCKER ! -i docker0 -p tcp --dport 8080 -j DNAT --to-destination 10.77.4.2:80
sleep 0.2`,
  probes: [
    ...every("server", 80, "server sees wan", { from: "guest" }).filter(({ name }) => name.includes("IPv4")),
    ...every("server", 443, "server sees guest", { from: "guest" }).filter(({ name }) =>
      name.includes("IPv6")
    ),
    ...every("server", 80, "server sees wan").filter(({ name }) => name.includes("IPv4")),
    ...every("private", 80, "silence", { from: "guest", silenceMs: 400 }).filter(({ name }) =>
      name.includes("IPv4")
    ),
    ...every("wan", 8080, "guest sees server", { from: "server" }).filter(({ name }) =>
      name.includes("TCP, IPv4")
    ),
  ],
});
