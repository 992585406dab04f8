# The same for IPv6, whose entries are larger, and have a flag for goto in another place.
ip6tables -P FORWARD DROP
ip6tables -N GUARD
ip6tables -A GUARD -s fd00::/8 -p tcp -m tcp --dport 443 -j ACCEPT
ip6tables -A INPUT -p ipv6-icmp -j ACCEPT
ip6tables -A INPUT ! -s 2001:db8::/32 -d fd00::1/128 -i br-lan -j DROP
ip6tables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
ip6tables -A FORWARD -i br-lan -g GUARD
ip6tables -A FORWARD -o br-lan -j GUARD
ip6tables -A OUTPUT -j REJECT
