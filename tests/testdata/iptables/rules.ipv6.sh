# on-failure: drop, default: bypass, source: client-address, udp.filtering: endpoint-independent, LAN br-lan and eth0, in the words of a person:
#   from 2001:db8::/32 or fd00::/8, to 2001:db8:1::-2001:db8:1::2: direct
#   mac 02:00:5e:10:00:0a, udp: block, silent
#   TCP port 80: deliver to 3129
ip6tables -t mangle -N TPROXY_LOCAL
ip6tables -t mangle -A TPROXY_LOCAL -j MARK --or-mark 0x10
ip6tables -t mangle -A TPROXY_LOCAL -j ACCEPT
ip6tables -t mangle -N TPROXY_DIRECT
ip6tables -t mangle -A TPROXY_DIRECT -m addrtype --dst-type LOCAL -j RETURN
ip6tables -t mangle -A TPROXY_DIRECT -m addrtype --dst-type ANYCAST -j RETURN
ip6tables -t mangle -A TPROXY_DIRECT -m addrtype --dst-type MULTICAST -j RETURN
ip6tables -t mangle -A TPROXY_DIRECT -p tcp --syn -j TPROXY --on-ip ::1 --on-port 50080 --tproxy-mark 0x10/0x10
ip6tables -t mangle -A TPROXY_DIRECT -p udp -j TPROXY --on-ip ::1 --on-port 50080 --tproxy-mark 0x10/0x10
ip6tables -t mangle -A TPROXY_DIRECT -p tcp --syn -j DROP
ip6tables -t mangle -A TPROXY_DIRECT -p udp -j DROP
ip6tables -t mangle -N TPROXY_DELIVER_3129
ip6tables -t mangle -A TPROXY_DELIVER_3129 -m addrtype --dst-type LOCAL -j RETURN
ip6tables -t mangle -A TPROXY_DELIVER_3129 -m addrtype --dst-type ANYCAST -j RETURN
ip6tables -t mangle -A TPROXY_DELIVER_3129 -m addrtype --dst-type MULTICAST -j RETURN
ip6tables -t mangle -A TPROXY_DELIVER_3129 -p tcp --syn -j TPROXY --on-ip ::1 --on-port 3129 --tproxy-mark 0x10/0x10
ip6tables -t mangle -A TPROXY_DELIVER_3129 -p tcp --syn -j DROP
ip6tables -t mangle -N TPROXY_INTERCEPT
ip6tables -t mangle -N TPROXY_INTERCEPT_1
ip6tables -t mangle -N TPROXY_INTERCEPT_2
ip6tables -t mangle -N TPROXY_INTERCEPT_3
ip6tables -t mangle -A TPROXY_INTERCEPT -g TPROXY_INTERCEPT_1
ip6tables -t mangle -A TPROXY_INTERCEPT -g TPROXY_INTERCEPT_3
ip6tables -t mangle -A TPROXY_INTERCEPT_1 -s 2001:db8::/32 -g TPROXY_INTERCEPT_2
ip6tables -t mangle -A TPROXY_INTERCEPT_1 -s fd00::/8 -g TPROXY_INTERCEPT_2
ip6tables -t mangle -A TPROXY_INTERCEPT_1 -g TPROXY_INTERCEPT_3
ip6tables -t mangle -A TPROXY_INTERCEPT_2 -d 2001:db8:1::/127 -g TPROXY_DIRECT
ip6tables -t mangle -A TPROXY_INTERCEPT_2 -d 2001:db8:1::2 -g TPROXY_DIRECT
ip6tables -t mangle -A TPROXY_INTERCEPT_2 -g TPROXY_INTERCEPT_3
ip6tables -t mangle -A TPROXY_INTERCEPT_3 -p udp -m mac --mac-source 02:00:5E:10:00:0A -j RETURN
ip6tables -t mangle -A TPROXY_INTERCEPT_3 -p tcp -m multiport --dports 80 -g TPROXY_DELIVER_3129
ip6tables -t mangle -A TPROXY_INTERCEPT_3 -j RETURN
ip6tables -t mangle -N TPROXY_DIVERT_REPLIES
ip6tables -t mangle -A TPROXY_DIVERT_REPLIES -i br-lan -j RETURN
ip6tables -t mangle -A TPROXY_DIVERT_REPLIES -i eth0 -j RETURN
ip6tables -t mangle -A TPROXY_DIVERT_REPLIES -p tcp -m socket --transparent -g TPROXY_LOCAL
ip6tables -t mangle -A TPROXY_DIVERT_REPLIES -p udp -m socket --transparent -g TPROXY_LOCAL
ip6tables -t mangle -A TPROXY_DIVERT_REPLIES -p tcp -m conntrack --ctstate SNAT --ctdir REPLY -m connmark --mark 0x40/0x40 -g TPROXY_LOCAL
ip6tables -t mangle -A TPROXY_DIVERT_REPLIES -p udp -m conntrack --ctstate SNAT --ctdir REPLY -m connmark --mark 0x40/0x40 -g TPROXY_LOCAL
ip6tables -t mangle -A TPROXY_DIVERT_REPLIES -p tcp -j RETURN
ip6tables -t mangle -A TPROXY_DIVERT_REPLIES -p icmpv6 --icmpv6-type packet-too-big -m socket --transparent -g TPROXY_LOCAL
ip6tables -t mangle -A TPROXY_DIVERT_REPLIES -p icmpv6 --icmpv6-type packet-too-big -m conntrack --ctstate SNAT --ctdir REPLY -m connmark --mark 0x40/0x40 -g TPROXY_LOCAL
ip6tables -t mangle -A TPROXY_DIVERT_REPLIES -p icmpv6 --icmpv6-type destination-unreachable -m socket --transparent -g TPROXY_LOCAL
ip6tables -t mangle -A TPROXY_DIVERT_REPLIES -p icmpv6 --icmpv6-type destination-unreachable -m conntrack --ctstate SNAT --ctdir REPLY -m connmark --mark 0x40/0x40 -g TPROXY_LOCAL
ip6tables -t mangle -N TPROXY_STEER
ip6tables -t mangle -N TPROXY_STEER_1
ip6tables -t mangle -A TPROXY_STEER -i br-lan -g TPROXY_STEER_1
ip6tables -t mangle -A TPROXY_STEER -i eth0 -g TPROXY_STEER_1
ip6tables -t mangle -N TPROXY_ANSWERS
ip6tables -t mangle -A TPROXY_ANSWERS -j MARK --set-xmark 0/0x30
ip6tables -t mangle -A TPROXY_STEER_1 -p udp -m mark ! --mark 0/0x30 -m conntrack --ctdir REPLY -g TPROXY_ANSWERS
ip6tables -t mangle -A TPROXY_STEER_1 -m mark --mark 0x30/0x30 -j DROP
ip6tables -t mangle -A TPROXY_STEER_1 -m mark ! --mark 0x10/0x10 -j RETURN
ip6tables -t mangle -A TPROXY_STEER_1 -p tcp --syn -g TPROXY_INTERCEPT
ip6tables -t mangle -A TPROXY_STEER_1 -p udp -g TPROXY_INTERCEPT
ip6tables -t mangle -A TPROXY_STEER_1 -j ACCEPT
ip6tables -t mangle -N TPROXY_SERVED
ip6tables -t mangle -A TPROXY_SERVED -o br-lan -p udp -m conntrack --ctdir ORIGINAL -m addrtype ! --src-type LOCAL -m recent --name tproxy_servers_ipv6 --set --rdest -m recent --name tproxy_peers_ipv6 --set -j RETURN
ip6tables -t mangle -A TPROXY_SERVED -o eth0 -p udp -m conntrack --ctdir ORIGINAL -m addrtype ! --src-type LOCAL -m recent --name tproxy_servers_ipv6 --set --rdest -m recent --name tproxy_peers_ipv6 --set -j RETURN
ip6tables -t mangle -N TPROXY_UPSTREAM
ip6tables -t mangle -A TPROXY_UPSTREAM -m conntrack --ctstate NEW -m addrtype ! --src-type LOCAL -j CONNMARK --or-mark 0x40
ip6tables -t mangle -N TPROXY_FORWARDED
ip6tables -t mangle -A TPROXY_FORWARDED -m conntrack --ctstate SNAT --ctdir ORIGINAL -m connmark --mark 0x40/0x40 -j CONNMARK --and-mark 0xffffffbf
ip6tables -t mangle -A FORWARD -j TPROXY_FORWARDED
ip6tables -t mangle -A POSTROUTING -j TPROXY_SERVED
ip6tables -t mangle -A OUTPUT -j TPROXY_UPSTREAM
ip6tables -t mangle -A PREROUTING -j TPROXY_STEER
ip6tables -t mangle -A PREROUTING -j TPROXY_DIVERT_REPLIES
ip6tables -t raw -N TPROXY_OURS
ip6tables -t raw -A TPROXY_OURS -j MARK --or-mark 0x10
ip6tables -t raw -A TPROXY_OURS -j CT --notrack
ip6tables -t raw -N TPROXY_LOCAL
ip6tables -t raw -A TPROXY_LOCAL -j MARK --or-mark 0x10
ip6tables -t raw -N TPROXY_BLOCK_SILENTLY
ip6tables -t raw -A TPROXY_BLOCK_SILENTLY -m addrtype --dst-type LOCAL -j RETURN
ip6tables -t raw -A TPROXY_BLOCK_SILENTLY -m addrtype --dst-type ANYCAST -j RETURN
ip6tables -t raw -A TPROXY_BLOCK_SILENTLY -m addrtype --dst-type MULTICAST -j RETURN
ip6tables -t raw -N TPROXY_DROPPED
ip6tables -t raw -A TPROXY_DROPPED -j MARK --or-mark 0x30
ip6tables -t raw -A TPROXY_BLOCK_SILENTLY -g TPROXY_DROPPED
ip6tables -t raw -N TPROXY_DIRECT
ip6tables -t raw -A TPROXY_DIRECT -m addrtype --dst-type LOCAL -j RETURN
ip6tables -t raw -A TPROXY_DIRECT -m addrtype --dst-type ANYCAST -j RETURN
ip6tables -t raw -A TPROXY_DIRECT -m addrtype --dst-type MULTICAST -j RETURN
ip6tables -t raw -A TPROXY_DIRECT -p udp -m recent --name tproxy_servers_ipv6 --rcheck --seconds 180 -m recent --name tproxy_peers_ipv6 --update --seconds 180 --rdest -m recent --name tproxy_servers_ipv6 --update --seconds 180 -g TPROXY_DROPPED
ip6tables -t raw -A TPROXY_DIRECT -p tcp --syn -g TPROXY_OURS
ip6tables -t raw -A TPROXY_DIRECT -p udp -g TPROXY_OURS
ip6tables -t raw -A TPROXY_DIRECT -p tcp --syn -j DROP
ip6tables -t raw -A TPROXY_DIRECT -p udp -g TPROXY_DROPPED
ip6tables -t raw -N TPROXY_DELIVER_3129
ip6tables -t raw -A TPROXY_DELIVER_3129 -m addrtype --dst-type LOCAL -j RETURN
ip6tables -t raw -A TPROXY_DELIVER_3129 -m addrtype --dst-type ANYCAST -j RETURN
ip6tables -t raw -A TPROXY_DELIVER_3129 -m addrtype --dst-type MULTICAST -j RETURN
ip6tables -t raw -A TPROXY_DELIVER_3129 -p tcp --syn -g TPROXY_LOCAL
ip6tables -t raw -A TPROXY_DELIVER_3129 -p tcp --syn -j DROP
ip6tables -t raw -N TPROXY_INTERCEPT
ip6tables -t raw -N TPROXY_INTERCEPT_1
ip6tables -t raw -N TPROXY_INTERCEPT_2
ip6tables -t raw -N TPROXY_INTERCEPT_3
ip6tables -t raw -A TPROXY_INTERCEPT -g TPROXY_INTERCEPT_1
ip6tables -t raw -A TPROXY_INTERCEPT -g TPROXY_INTERCEPT_3
ip6tables -t raw -A TPROXY_INTERCEPT_1 -s 2001:db8::/32 -g TPROXY_INTERCEPT_2
ip6tables -t raw -A TPROXY_INTERCEPT_1 -s fd00::/8 -g TPROXY_INTERCEPT_2
ip6tables -t raw -A TPROXY_INTERCEPT_1 -g TPROXY_INTERCEPT_3
ip6tables -t raw -A TPROXY_INTERCEPT_2 -d 2001:db8:1::/127 -g TPROXY_DIRECT
ip6tables -t raw -A TPROXY_INTERCEPT_2 -d 2001:db8:1::2 -g TPROXY_DIRECT
ip6tables -t raw -A TPROXY_INTERCEPT_2 -g TPROXY_INTERCEPT_3
ip6tables -t raw -A TPROXY_INTERCEPT_3 -p udp -m mac --mac-source 02:00:5E:10:00:0A -g TPROXY_BLOCK_SILENTLY
ip6tables -t raw -A TPROXY_INTERCEPT_3 -p tcp -m multiport --dports 80 -g TPROXY_DELIVER_3129
ip6tables -t raw -A TPROXY_INTERCEPT_3 -j RETURN
ip6tables -t raw -N TPROXY_ACCEPTED
ip6tables -t raw -N TPROXY_ACCEPTED_1
ip6tables -t raw -N TPROXY_ACCEPTED_2
ip6tables -t raw -N TPROXY_ACCEPTED_3
ip6tables -t raw -A TPROXY_ACCEPTED -g TPROXY_ACCEPTED_1
ip6tables -t raw -A TPROXY_ACCEPTED -g TPROXY_ACCEPTED_3
ip6tables -t raw -A TPROXY_ACCEPTED_1 -s 2001:db8::/32 -g TPROXY_ACCEPTED_2
ip6tables -t raw -A TPROXY_ACCEPTED_1 -s fd00::/8 -g TPROXY_ACCEPTED_2
ip6tables -t raw -A TPROXY_ACCEPTED_1 -g TPROXY_ACCEPTED_3
ip6tables -t raw -A TPROXY_ACCEPTED_2 -d 2001:db8:1::/127 -g TPROXY_OURS
ip6tables -t raw -A TPROXY_ACCEPTED_2 -d 2001:db8:1::2 -g TPROXY_OURS
ip6tables -t raw -A TPROXY_ACCEPTED_2 -g TPROXY_ACCEPTED_3
ip6tables -t raw -A TPROXY_ACCEPTED_3 -p tcp -m multiport --dports 80 -g TPROXY_LOCAL
ip6tables -t raw -A TPROXY_ACCEPTED_3 -g TPROXY_OURS
ip6tables -t raw -N TPROXY_DIVERT
ip6tables -t raw -N TPROXY_DIVERT_1
ip6tables -t raw -A TPROXY_DIVERT -i br-lan -g TPROXY_DIVERT_1
ip6tables -t raw -A TPROXY_DIVERT -i eth0 -g TPROXY_DIVERT_1
ip6tables -t raw -A TPROXY_DIVERT_1 -p tcp --syn -g TPROXY_INTERCEPT
ip6tables -t raw -A TPROXY_DIVERT_1 -p tcp -m socket --transparent --restore-skmark -m mark --mark 0x40 -m addrtype ! --dst-type LOCAL -m addrtype ! --dst-type ANYCAST -m addrtype ! --dst-type MULTICAST -g TPROXY_OURS
ip6tables -t raw -A TPROXY_DIVERT_1 -p tcp -m socket --transparent -m addrtype ! --dst-type LOCAL -m addrtype ! --dst-type ANYCAST -m addrtype ! --dst-type MULTICAST -g TPROXY_ACCEPTED
ip6tables -t raw -A TPROXY_DIVERT_1 -p tcp -j RETURN
ip6tables -t raw -A TPROXY_DIVERT_1 -p udp -g TPROXY_INTERCEPT
ip6tables -t raw -A TPROXY_DIVERT_1 -p icmpv6 --icmpv6-type packet-too-big -m socket --transparent -m addrtype ! --dst-type LOCAL -m addrtype ! --dst-type ANYCAST -m addrtype ! --dst-type MULTICAST -g TPROXY_OURS
ip6tables -t raw -N TPROXY_UNTRACKED
ip6tables -t raw -A TPROXY_UNTRACKED -m mark --mark 0x40 -j CT --notrack
ip6tables -t raw -A PREROUTING -j TPROXY_DIVERT
ip6tables -t raw -A OUTPUT -j TPROXY_UNTRACKED
