# on-failure: reset, ports 80, 443, 8000-8100, LAN br-lan, in the words of a person
iptables -t mangle -N TPROXY_LOCAL
iptables -t mangle -A TPROXY_LOCAL -j MARK --or-mark 1
iptables -t mangle -A TPROXY_LOCAL -j ACCEPT
iptables -t mangle -N TPROXY_DIVERT_REPLIES
iptables -t mangle -A TPROXY_DIVERT_REPLIES -i br-lan -j RETURN
iptables -t mangle -A TPROXY_DIVERT_REPLIES -p tcp -m socket --transparent -g TPROXY_LOCAL
iptables -t mangle -A TPROXY_DIVERT_REPLIES -p udp -m conntrack --ctstate ESTABLISHED,RELATED -m socket --transparent -g TPROXY_LOCAL
iptables -t mangle -A TPROXY_DIVERT_REPLIES -p tcp -j RETURN
iptables -t mangle -A TPROXY_DIVERT_REPLIES -p icmp --icmp-type fragmentation-needed -m socket --transparent -g TPROXY_LOCAL
iptables -t mangle -N TPROXY_STEER
iptables -t mangle -N TPROXY_ANSWERS
iptables -t mangle -A TPROXY_ANSWERS -j MARK --and-mark 0xfffffffc
iptables -t mangle -A TPROXY_STEER ! -i br-lan -j RETURN
iptables -t mangle -A TPROXY_STEER -p udp -m mark ! --mark 0/3 -m conntrack --ctdir REPLY -g TPROXY_ANSWERS
iptables -t mangle -A TPROXY_STEER -m mark --mark 2/2 -j ACCEPT
iptables -t mangle -A TPROXY_STEER -m mark ! --mark 1/1 -j RETURN
iptables -t mangle -A TPROXY_STEER -p tcp --syn -j TPROXY --on-ip 127.0.0.1 --on-port 50080 --tproxy-mark 1/1
iptables -t mangle -A TPROXY_STEER -p udp -j TPROXY --on-ip 127.0.0.1 --on-port 50080 --tproxy-mark 1/1
iptables -t mangle -A TPROXY_STEER -j ACCEPT
iptables -t mangle -N TPROXY_HOLD
iptables -t mangle -A TPROXY_HOLD -p tcp --syn -m mark --mark 2/2 -j DROP
iptables -t mangle -A TPROXY_HOLD -p udp -m mark --mark 2/2 -j DROP
iptables -t mangle -N TPROXY_SERVED
iptables -t mangle -A TPROXY_SERVED -o br-lan -p udp -m conntrack --ctdir ORIGINAL -m addrtype ! --src-type LOCAL -m recent --name tproxy_servers_ipv4 --set --rdest -m recent --name tproxy_peers_ipv4 --set -j RETURN
iptables -t mangle -A PREROUTING -j TPROXY_STEER
iptables -t mangle -A PREROUTING -j TPROXY_DIVERT_REPLIES
iptables -t mangle -A POSTROUTING -j TPROXY_HOLD
iptables -t mangle -A POSTROUTING -j TPROXY_SERVED
iptables -N TPROXY_REJECT
iptables -A TPROXY_REJECT -p tcp --syn -m mark --mark 2/2 -j REJECT --reject-with tcp-reset
iptables -A TPROXY_REJECT -p udp -m mark --mark 2/2 -j REJECT
iptables -A FORWARD -j TPROXY_REJECT
iptables -t raw -N TPROXY_OURS
iptables -t raw -A TPROXY_OURS -j MARK --or-mark 1
iptables -t raw -A TPROXY_OURS -j CT --notrack
iptables -t raw -N TPROXY_REFUSED
iptables -t raw -A TPROXY_REFUSED -j MARK --or-mark 2
iptables -t raw -N TPROXY_INTERCEPT
iptables -t raw -N TPROXY_INTERCEPT_1
iptables -t raw -A TPROXY_INTERCEPT_1 -m addrtype --dst-type LOCAL,BROADCAST,ANYCAST,MULTICAST -j RETURN
iptables -t raw -A TPROXY_INTERCEPT -p tcp -m multiport --destination-ports 80,443,8000:8100 -g TPROXY_INTERCEPT_1
iptables -t raw -A TPROXY_INTERCEPT -p udp -m multiport --destination-ports 80,443,8000:8100 -g TPROXY_INTERCEPT_1
iptables -t raw -A TPROXY_INTERCEPT_1 -p udp -m recent --name tproxy_servers_ipv4 --rcheck --seconds 180 -m recent --name tproxy_peers_ipv4 --update --seconds 180 --rdest -m recent --name tproxy_servers_ipv4 --update --seconds 180 -g TPROXY_REFUSED
iptables -t raw -A TPROXY_INTERCEPT_1 -p tcp --syn -m recent --name tproxy_ipv4 --mask 0.0.0.0 --rcheck --seconds 2 -g TPROXY_OURS
iptables -t raw -A TPROXY_INTERCEPT_1 -p udp -m recent --name tproxy_ipv4 --mask 0.0.0.0 --rcheck --seconds 2 -g TPROXY_OURS
iptables -t raw -A TPROXY_INTERCEPT_1 -p tcp --syn -g TPROXY_REFUSED
iptables -t raw -A TPROXY_INTERCEPT_1 -p udp -g TPROXY_REFUSED
iptables -t raw -N TPROXY_DIVERT
iptables -t raw -A TPROXY_DIVERT ! -i br-lan -j RETURN
iptables -t raw -A TPROXY_DIVERT -p tcp --syn -g TPROXY_INTERCEPT
iptables -t raw -A TPROXY_DIVERT -p tcp -m socket --transparent -m addrtype ! --dst-type LOCAL,BROADCAST,ANYCAST,MULTICAST -g TPROXY_OURS
iptables -t raw -A TPROXY_DIVERT -p tcp -j RETURN
iptables -t raw -A TPROXY_DIVERT -p udp -g TPROXY_INTERCEPT
iptables -t raw -A TPROXY_DIVERT -p icmp --icmp-type fragmentation-needed -m socket --transparent -m addrtype ! --dst-type LOCAL,BROADCAST,ANYCAST,MULTICAST -g TPROXY_OURS
iptables -t raw -N TPROXY_UNTRACKED
iptables -t raw -A TPROXY_UNTRACKED -m mark --mark 4 -j CT --notrack
iptables -t raw -A PREROUTING -j TPROXY_DIVERT
iptables -t raw -A OUTPUT -j TPROXY_UNTRACKED
