/**
 * A second way out of the router: r2, with a host behind it that answers for the server's addresses too.
 * @module
 */
import { ADDRESSES, type Lab } from "../lab.ts";
import type { Namespace } from "../namespace.ts";

/** Addresses of the second WAN. */
export const SECOND_WAN = {
  4: { router: "198.51.100.1", host: "198.51.100.2" },
  6: { router: "2001:db8:51::1", host: "2001:db8:51::2" },
} as const;

/** The routing table that leads there. */
export const SECOND_TABLE = 202;

/** Adds r2, the host, and a routing table that leads to it. */
export async function addSecondWan(lab: Lab): Promise<Namespace> {
  const host = await lab.addNamespace("second");
  await lab.router.run(
    ["ip", "link", "add", "r2", "type", "veth", "peer", "name", "q0", "netns", host.name],
  );
  await lab.router.ip(`
    addr add ${SECOND_WAN[4].router}/24 dev r2
    addr add ${SECOND_WAN[6].router}/64 dev r2 nodad
    link set r2 up
    route add default via ${SECOND_WAN[4].host} table ${SECOND_TABLE}`);
  await host.ip(`
    addr add ${SECOND_WAN[4].host}/24 dev q0
    addr add ${SECOND_WAN[6].host}/64 dev q0 nodad
    addr add ${ADDRESSES[4].server}/32 dev lo
    addr add ${ADDRESSES[6].server}/128 dev lo nodad
    link set q0 up
    route add default via ${SECOND_WAN[4].router}
    route add default via ${SECOND_WAN[6].router}`);
  await lab.router.ip(`route add default via ${SECOND_WAN[6].host} dev r2 table ${SECOND_TABLE}`);
  return host;
}
