# Functions for steps (`. /run/vm/net.sh`): hosts in namespaces, with BusyBox alone.

# Nobody looks for duplicates of addresses: that takes seconds, and changes routes meanwhile.
sysctl -qw net.ipv6.conf.default.accept_dad=0

# host NAME: a network namespace; a process holds it.
host() {
  unshare -n sleep 100000 >/dev/null 2>&1 3>&- &
  echo $! >"/run/host.$1"
  while [ "$(readlink "/proc/$!/ns/net")" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done
  at "$1" ip link set lo up
  at "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0
}

# at NAME COMMAND…: runs a command on a host; "router" is the machine itself.
at() {
  local name=$1
  shift
  if [ "$name" = router ]; then "$@"; else nsenter "--net=/proc/$(cat "/run/host.$name")/ns/net" "$@"; fi
}

# become NAME COMMAND…: like at, for the background: the process that is killed is the command itself.
become() {
  local name=$1
  shift
  exec nsenter "--net=/proc/$(cat "/run/host.$name")/ns/net" "$@"
}

# cable NAME INTERFACE: the router's INTERFACE is joined with eth0 of the host. BusyBox calls the far end
# veth0.
cable() {
  ip link add "$2" type veth
  ip link set veth0 netns "$(cat "/run/host.$1")"
  at "$1" ip link set veth0 name eth0
  ip link set "$2" up
  at "$1" ip link set eth0 up
}

# address HOST INTERFACE ADDRESS…
address() {
  local host=$1 interface=$2 one
  shift 2
  for one in "$@"; do at "$host" ip address add "$one" dev "$interface"; done
}

# client ─ eth0 ─ lan0 router wan0 ─ eth0 ─ server
router_between() {
  host client
  host server
  cable client lan0
  cable server wan0
  address router lan0 10.1.0.1/24 fd01::1/64
  address router wan0 192.0.2.1/24 2001:db8::1/64
  address client eth0 10.1.0.2/24 fd01::2/64
  address server eth0 192.0.2.2/24 2001:db8::2/64
  route_around
}

# The ways between client and server, whatever the interfaces are.
route_around() {
  at client ip route add default via 10.1.0.1
  at client ip -6 route add default via fd01::1
  at server ip route add default via 192.0.2.1
  at server ip -6 route add default via 2001:db8::1
  ip route add default via 192.0.2.2
  ip -6 route add default via 2001:db8::2
  sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

# guard on|off: whether packets of new flows are dropped where they leave the router. With "on", what still
# passes has passed the proxy. Needs nft. A tunnel's outer packets have the tunnel as their incoming
# interface, and are new where conntrack has forgotten them: WireGuard's may leave.
guard() {
  nft delete table inet guard 2>/dev/null
  [ "$1" = on ] || return 0
  nft -f - <<END
table inet guard {
  chain leaving {
    type filter hook postrouting priority 350
    ct state established,related accept
    udp dport 51820-51829 accept
    iif != 0 meta l4proto { tcp, udp } drop
  }
}
END
}

# A web server on the host "server": /who tells whom it sees, /blob is 1 MiB.
serve() {
  mkdir -p /www/cgi-bin
  cat >/www/cgi-bin/who <<'END'
#!/bin/sh
address=${REMOTE_ADDR#[}
address=${address%]}
printf 'Content-Type: text/plain\r\n\r\n%s\n' "${address#::ffff:}"
END
  chmod +x /www/cgi-bin/who
  head -c 1048576 /dev/urandom >/www/blob
  at server httpd -p 80 -h /www 3>&-
}

# ask ADDRESS: whom the server sees. fetch ADDRESS: 1 MiB, whole or not. (wget -T crashes in Debian's
# BusyBox.)
ask() { at client timeout 10 wget -q -O - "http://$1/cgi-bin/who"; }
fetch() {
  [ "$(at client timeout 80 wget -q -O - "http://$1/blob" | sha256sum)" = "$(sha256sum </www/blob)" ] && echo "$1: whole"
}

# datagrams ADDRESS [NETCAT…]: one question, one answer, by Debian's netcat or the one that is named; says
# whom the server sees.
datagrams() {
  local to=$1 family=-4 server client
  case $1 in *:*) family=-6 ;; esac
  shift
  [ $# -gt 0 ] || set -- nc.openbsd
  rm -f /tmp/questions /tmp/answers /tmp/heard /tmp/told /tmp/seen /tmp/failed
  mkfifo /tmp/questions /tmp/answers
  exec 4<>/tmp/answers 5<>/tmp/questions
  become server "$@" $family -n -v -u -l -p 9000 </tmp/answers >/tmp/heard 2>/tmp/seen 4>&- 5>&- &
  server=$!
  within 400 grep -q Bound /tmp/seen
  become client "$@" -n -u "$to" 9000 </tmp/questions >/tmp/told 2>/tmp/failed 4>&- 5>&- &
  client=$!
  echo question >&5
  within 400 grep -q question /tmp/heard && echo answer >&4
  within 200 grep -q answer /tmp/told
  exec 4>&- 5>&-
  kill $client $server
  wait $client $server 2>/dev/null
  cat /tmp/heard /tmp/told /tmp/seen /tmp/failed
}

# within N COMMAND…: until it succeeds, N tenths of a second at most; then it says so.
within() {
  local turns=$1 tenths=$1
  shift
  while ! "$@" 2>/dev/null; do
    turns=$((turns - 1))
    [ $turns -gt 0 ] || {
      echo "not within $tenths tenths of a second: $*"
      return 1
    }
    sleep 0.1
  done
}

# Prints the kernel's state that install, run and uninstall may touch: equal before and after. The use counts
# of modules tell of rules in nf_tables, without a program that could list them.
state() {
  for family in -4 -6; do
    ip $family rule
    ip $family route show table all
  done
  ip link
  lsmod | awk '{ print $1, $3 }' | sort
  sysctl -a 2>/dev/null | grep -E '^net\.' | grep -vE 'random|nf_conntrack_count|_entries|tcp_fastopen_key|stable_secret|idgen_retries'
}
