# Kinds of interfaces between client, router and server (`. /run/vm/links.sh`); needs Debian's ip, wg and
# pppd.
. /run/vm/net.sh

# BusyBox's shell takes its own programs first, whatever the path says.
for program in ip tc; do eval "$program() { /usr/sbin/$program \"\$@\"; }"; done

# addresses LAN WAN CLIENT SERVER: the interfaces of router, client and server get what everything here
# expects.
addresses() {
  address router "$1" 10.1.0.1/24 fd01::1/64
  address router "$2" 192.0.2.1/24 2001:db8::1/64
  address client "$3" 10.1.0.2/24 fd01::2/64
  address server "$4" 192.0.2.2/24 2001:db8::2/64
  route_around
}

hosts() {
  host client
  host server
  cable client lan0
  cable server wan0
}

make_veth() { router_between; }

make_vlan() {
  hosts
  ip link add link lan0 name lan0.10 type vlan id 10
  ip link add link wan0 name wan0.20 type vlan id 20
  at client /usr/sbin/ip link add link eth0 name eth0.10 type vlan id 10
  at server /usr/sbin/ip link add link eth0 name eth0.20 type vlan id 20
  ip link set lan0.10 up
  ip link set wan0.20 up
  at client /usr/sbin/ip link set eth0.10 up
  at server /usr/sbin/ip link set eth0.20 up
  addresses lan0.10 wan0.20 eth0.10 eth0.20
}

# tunnel HOST INTERFACE NUMBER: WireGuard between the router's INTERFACE and wg0 of the host, over
# 10.99.NUMBER.0/24.
tunnel() {
  local host=$1 interface=$2 net=10.99.$3
  address router "$4" $net.1/24
  address "$host" eth0 $net.2/24
  umask 077
  wg genkey >/run/key.router
  wg genkey >/run/key.far
  ip link add "$interface" type wireguard
  at "$host" /usr/sbin/ip link add wg0 type wireguard
  wg set "$interface" listen-port $((51820 + $3)) private-key /run/key.router \
    peer "$(wg pubkey </run/key.far)" endpoint $net.2:51820 allowed-ips 0.0.0.0/0,::/0
  at "$host" wg set wg0 listen-port 51820 private-key /run/key.far \
    peer "$(wg pubkey </run/key.router)" endpoint $net.1:$((51820 + $3)) allowed-ips 0.0.0.0/0,::/0
  ip link set "$interface" up
  at "$host" /usr/sbin/ip link set wg0 up
}

make_wireguard() {
  hosts
  tunnel client wg-lan 1 lan0
  tunnel server wg-wan 2 wan0
  addresses wg-lan wg-wan wg0 wg0
}

# dial HOST INTERFACE LOCAL REMOTE: PPP between the router's INTERFACE and ppp0 of the host, over a pair of
# terminals.
dial() {
  local far="pppd notty noauth local nodetach nodefaultroute noipv6 nodeflate nobsdcomp ifname ppp0 $4:$3"
  pppd pty "exec nsenter --net=/proc/$(cat "/run/host.$1")/ns/net $far" \
    noauth local nodetach nodefaultroute noipv6 nodeflate nobsdcomp ifname "$2" "$3:$4" >"/tmp/$2.log" 2>&1 3>&- &
  local turn=0
  while ! ip -4 address show dev "$2" 2>/dev/null | grep -q "$3"; do
    sleep 0.2
    turn=$((turn + 1))
    [ $turn -lt 150 ] || { cat "/tmp/$2.log"; return 1; }
  done
  turn=0
  while ! at "$1" /usr/sbin/ip -4 address show dev ppp0 | grep -q "$4"; do
    sleep 0.2
    turn=$((turn + 1))
    [ $turn -lt 50 ] || return 1
  done
}

make_ppp() {
  mkdir -p /var/run /etc/ppp
  host client
  host server
  dial client ppp-lan 10.1.0.1 10.1.0.2 || return 1
  dial server ppp-wan 192.0.2.1 192.0.2.2 || return 1
  address router ppp-lan fd01::1/64
  address router ppp-wan 2001:db8::1/64
  address client ppp0 fd01::2/64
  address server ppp0 2001:db8::2/64
  route_around
}

make_bridge() {
  hosts
  ip link add br-lan type bridge
  ip link set lan0 master br-lan
  ip link set br-lan up
  addresses br-lan wan0 eth0 eth0
  within 100 grep -q up /sys/class/net/br-lan/operstate
}

# Each packet is one: what is lost is a packet, not a train of them.
disturb() {
  at "$1" /usr/sbin/ip link set "$2" gso_max_segs 1
  at "$1" /usr/sbin/tc qdisc add dev "$2" root netem delay 20ms loss 2% limit 10000
}

make_netem() {
  router_between
  disturb router lan0
  disturb router wan0
  disturb client eth0
  disturb server eth0
}

# offloaded: an idle connection stands in the flow table.
offloaded() {
  { printf 'GET / HTTP/1.0\r\n'; sleep 3; } | at client nc 192.0.2.2 80 >/dev/null &
  sleep 2
  grep -q OFFLOAD /proc/net/nf_conntrack
  local found=$?
  wait $!
  return $found
}

# Established flows pass by the hooks: packets go from one interface to the other at ingress.
make_flow_table() {
  router_between
  nft -f - <<END
table inet fast {
  flowtable lines { hook ingress priority 0; devices = { lan0, wan0 }; }
  chain forward { type filter hook forward priority 0; meta l4proto { tcp, udp } flow add @lines; }
}
END
}

# The way out stands in a table of its own, for the LAN's addresses alone: the main table has no default
# route.
make_policy_routing() {
  router_between
  ip route del default
  ip -6 route del default
  ip route add default via 192.0.2.2 table 42
  ip -6 route add default via 2001:db8::2 table 42
  ip rule add from 10.1.0.0/24 lookup 42 priority 1000
  ip -6 rule add from fd01::/64 lookup 42 priority 1000
}

# Everything that a make_… has made.
take_down() {
  # shellcheck disable=SC2046 # several numbers
  kill $(pidof httpd pppd) $(cat /run/host.*) 2>/dev/null
  nft flush ruleset
  ip rule del priority 1000 2>/dev/null
  ip -6 rule del priority 1000 2>/dev/null
  sleep 1
  for interface in $(ls /sys/class/net); do
    [ "$interface" = lo ] || ip link del "$interface" 2>/dev/null
  done
  rm -f /run/host.*
  ip route flush table 42 2>/dev/null
  ip -6 route flush table 42 2>/dev/null
  [ "$(ls /sys/class/net)" = lo ]
}
