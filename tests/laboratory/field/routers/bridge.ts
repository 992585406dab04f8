/**
 * A LAN bridge that has the LAN's addresses.
 * @module
 */
import { FIELD } from "../places.ts";

/** Commands for it; `filter`: whether br_netfilter sees its packets. */
export function bridge(filter: 0 | 1): string {
  return `ip link add br-lan type bridge
ip link set br-lan addrgenmode none
ip addr flush dev r0
ip link set r0 master br-lan
ip addr add ${FIELD.lan[4]}/24 dev br-lan
ip addr add ${FIELD.lan[6]}/64 dev br-lan nodad
ip link set br-lan up
sysctl -qw net.bridge.bridge-nf-call-iptables=${filter} net.bridge.bridge-nf-call-ip6tables=${filter}
sleep 1`;
}
