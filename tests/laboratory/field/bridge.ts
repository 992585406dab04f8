/**
 * A LAN bridge of the router.
 * @module
 */
import { FIELD } from "./places.ts";

/** The commands that make it: client and guest are on one bridge, which has the LAN's addresses. */
export function lanBridge(filter: number): string {
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
