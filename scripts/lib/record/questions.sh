#!/usr/bin/env bash
# Records questions of first packets, as the kernel asks them: NFLOG messages of SYNs and datagrams at the end
# of the forward path, with and without NAT. A client, a router, a server, in namespaces of their own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
out=$PWD/tests/testdata/questions
id=trec$$
names="$id-c $id-r $id-s"
cleanup() { for name in $names; do ip netns del "$name" 2>/dev/null || true; done; }
trap cleanup EXIT
for name in $names; do ip netns add "$name"; ip -n "$name" link set lo up; done
client() { ip netns exec "$id-c" "$@"; }
router() { ip netns exec "$id-r" "$@"; }
link() {
  ip link add "$2" netns "$id-$1" type veth peer name "$4" netns "$id-$3"
  ip -n "$id-$1" link set "$2" up
  ip -n "$id-$3" link set "$4" up
}
link r r0 c c0
link r r1 s s0
router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip -n "$id-r" addr add 10.77.1.1/24 dev r0
ip -n "$id-r" addr add fd77:1::1/64 dev r0 nodad
ip -n "$id-r" addr add 203.0.113.1/24 dev r1
ip -n "$id-r" addr add 2001:db8:113::1/64 dev r1 nodad
ip -n "$id-c" addr add 10.77.1.2/24 dev c0
ip -n "$id-c" addr add fd77:1::2/64 dev c0 nodad
ip -n "$id-c" route add default via 10.77.1.1
ip -n "$id-c" route add default via fd77:1::1
ip -n "$id-s" addr add 203.0.113.2/24 dev s0
ip -n "$id-s" addr add 2001:db8:113::2/64 dev s0 nodad
mkdir -p "$out"

# record NAME RULES COMMAND…: what is logged while the client runs the command
record() {
  local name=$1 rules=$2
  shift 2
  router nft -f - <<<"flush ruleset
$rules"
  mkfifo "/tmp/$id"
  router scripts/deno run -A --quiet scripts/lib/record/questions.ts 50080 >"$out/$name.hex" 2>"/tmp/$id" &
  local recorder=$!
  read -r <"/tmp/$id"
  rm "/tmp/$id"
  client "$@" || true
  wait "$recorder"
  echo "$name: $(wc -l <"$out/$name.hex") datagrams"
}

ask() { echo "table inet ask { chain ask { type filter hook postrouting priority 300; oifname \"r1\" $1 $2; }; }"; }
SYN='tcp flags & (fin|syn|rst|ack) == syn'
LOG='log group 50080 queue-threshold 1'
NAT='table inet nat {
  chain pre { type nat hook prerouting priority -100;
    iifname "r0" ip daddr 192.0.2.9 tcp dport 53 dnat ip to 203.0.113.2:5353;
    iifname "r0" ip daddr 192.0.2.9 udp dport 53 dnat ip to 203.0.113.2:5353; }
  chain post { type nat hook postrouting priority 100; oifname "r1" masquerade; }
}'
restored() {
  echo "$LOG $3 prefix \"t\" $1 saddr set ct original $1 saddr $1 daddr set ct original $1 daddr $2 sport set ct original proto-src $2 dport set ct original proto-dst $LOG $3 prefix \"o\" drop"
}
plain() { echo "$LOG $1 prefix \"p\" drop"; }
DIAL='import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET
s = socket.socket(family, socket.SOCK_STREAM if sys.argv[1] == "tcp" else socket.SOCK_DGRAM)
s.settimeout(0.3)
for option in sys.argv[4:]:
    level, name, value = option.split(",")
    s.setsockopt(int(level), int(name), bytes.fromhex(value) if len(value) > 4 else int(value))
s.bind(("fd77:1::2" if family == socket.AF_INET6 else "10.77.1.2", 40001))
try:
    if sys.argv[1] == "tcp": s.connect((sys.argv[2], int(sys.argv[3])))
    else: s.sendto(b"a question of UDP", (sys.argv[2], int(sys.argv[3])))
except OSError: pass'

MARK='table inet marks { chain forward { type filter hook forward priority -150; meta mark set 0x00c0ffee; ip dscp set ef; }; }'
record tcp4 "$(ask "$SYN" "$(plain 'snaplen 128')")" python3 -c "$DIAL" tcp 203.0.113.2 443
record tcp4-options "$(ask "$SYN" "$(plain 'snaplen 128')")" python3 -c "$DIAL" tcp 203.0.113.2 443 0,4,0707040000000000
record tcp4-marked "$MARK
$(ask "$SYN" "$(plain 'snaplen 128')")" python3 -c "$DIAL" tcp 203.0.113.2 443 6,2,1000
record tcp4-nat "$NAT
$(ask "$SYN" "$(restored ip tcp 'snaplen 128')")" python3 -c "$DIAL" tcp 192.0.2.9 53
record tcp6 "$(ask "$SYN" "$(plain 'snaplen 128')")" python3 -c "$DIAL" tcp 2001:db8:113::2 443
record tcp6-nat "$NAT
$(ask "$SYN" "$(restored ip6 tcp 'snaplen 128')")" python3 -c "$DIAL" tcp 2001:db8:113::2 443
record udp4 "$(ask 'meta l4proto udp' "$(plain '')")" python3 -c "$DIAL" udp 203.0.113.2 443
record udp4-nat "$NAT
$(ask 'meta l4proto udp' "$(restored ip udp '')")" python3 -c "$DIAL" udp 192.0.2.9 53
record udp6-nat "$NAT
$(ask 'meta l4proto udp' "$(restored ip6 udp '')")" python3 -c "$DIAL" udp 2001:db8:113::2 443
record udp6-extension "$(ask 'meta l4proto udp' "$(plain '')")" python3 -c "$DIAL" udp 2001:db8:113::2 443 41,59,0000010400000000
