# A router of the time of iptables-legacy: what doctor decodes, chain by chain.
iptables -P INPUT DROP
iptables -P FORWARD DROP
iptables -N GUARD
iptables -N LOGGED
iptables -A GUARD -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP
iptables -A GUARD -j RETURN
iptables -A LOGGED -j LOG
iptables -A LOGGED -j REJECT
iptables -A INPUT -i lo -j ACCEPT
iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A INPUT ! -i eth+ -p tcp -m tcp --dport 22 -j ACCEPT
iptables -A INPUT -p udp -m udp --sport 1024:65535 --dport 53 -j ACCEPT
iptables -A INPUT -s 192.168.1.0/24 ! -d 192.168.1.1/32 -j ACCEPT
iptables -A INPUT -m mark --mark 0x1/0x1 -j ACCEPT
iptables -A INPUT -f -j DROP
iptables -A INPUT -j GUARD
iptables -A INPUT -m comment --comment nothing
iptables -A INPUT -g LOGGED
iptables -A FORWARD -i br-lan -o eth0 -j ACCEPT
iptables -A FORWARD ! -o eth0 -p tcp -m multiport --dports 80,443,8000:8080 -j ACCEPT
iptables -A OUTPUT -p icmp -j ACCEPT
iptables -A OUTPUT ! -f -o br-lan -j DROP
iptables -t mangle -A PREROUTING -i br-lan -j MARK --set-mark 0x2
iptables -t mangle -A PREROUTING -i br-lan -j MARK --set-xmark 0x20000/0xff0000
iptables -t nat -A PREROUTING -i br-lan -p udp -m udp --dport 53 -j DNAT --to-destination 192.168.1.53
iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE
iptables -t raw -A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp
