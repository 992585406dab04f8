/**
 * A network in which `install` tells the side of the clients from that of the internet.
 * @module
 */

/** Commands of a shell that make it, in a network namespace of their own. */
export const NETWORK = [
  "ip link set lo up",
  ...["lan", "wan"].flatMap((name) => [
    `ip link add ${name}0 type veth peer ${name}1`,
    `ip link set ${name}0 up`,
    `ip link set ${name}1 up`,
  ]),
  "ip addr add 10.0.0.1/24 dev lan0",
  "ip addr add 192.0.2.1/24 dev wan0",
  "ip route add default via 192.0.2.2",
].join("; ");
