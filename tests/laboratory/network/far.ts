/**
 * A network behind the server, at the end of a link with the smallest MTU.
 *
 * ```
 *   … router ── s0 server h0 ──(MTU 1280)── f0 far
 *                                198.51.100.2/24
 *                                2001:db8:99::2/64
 * ```
 * @module
 */
import { ADDRESSES, type Lab } from "../lab.ts";
import type { Namespace } from "../namespace.ts";

/** The addresses of the far host. */
export const FAR = { 4: "198.51.100.2", 6: "2001:db8:99::2" } as const;

/**
 * Adds it; the server forwards. `farMtu`: what the far host itself believes of the link, from which it makes
 * its MSS.
 */
export async function addFarNetwork(lab: Lab, options: { farMtu?: number } = {}): Promise<Namespace> {
  const far = await lab.addNamespace("far");
  await lab.server.writeSysctl({ "net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1 });
  await lab.server.ip(`
    link add h0 type veth peer name f0 netns ${far.name}
    addr add 198.51.100.1/24 dev h0
    addr add 2001:db8:99::1/64 dev h0 nodad
    link set h0 mtu 1280
    link set h0 up`);
  await far.ip(`
    addr add ${FAR[4]}/24 dev f0
    addr add ${FAR[6]}/64 dev f0 nodad
    link set f0 mtu ${options.farMtu ?? 1280}
    link set f0 up
    route add default via 198.51.100.1
    route add default via 2001:db8:99::1`);
  await lab.router.ip(`
    route add 198.51.100.0/24 via ${ADDRESSES[4].server}
    route add 2001:db8:99::/64 via ${ADDRESSES[6].server}`);
  return far;
}
