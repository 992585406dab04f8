/**
 * Notifications of rtnetlink that can change the rules: interfaces that come, go, or get another name or
 * master, and default routes. Routers hear of much else, a neighbour's flapping route or a radio's statistics
 * among it. Pure.
 * @module
 */
import { routeLeadsUpstream } from "../../kernel/routing/upstream.ts";
import type { NetlinkMessage } from "../../netlink/message.ts";
import { decodeLink } from "../../netlink/route/link.ts";
import { RTM_DELLINK, RTM_DELROUTE, RTM_NEWLINK, RTM_NEWROUTE } from "../../netlink/route/message.ts";
import { decodeRoute } from "../../netlink/route/route.ts";

/**
 * AF_UNSPEC: the interface itself. A bridge tells of its ports with AF_BRIDGE, and of other changes so too.
 */
const INTERFACE_ITSELF = 0;

/** Remembers the interfaces, to know a change from a repetition. */
export class NetworkNews {
  readonly #links = new Map<number, string>();

  /** Tells whether a plan depends on the news of a message; it may where the message cannot be read. */
  matters(message: NetlinkMessage): boolean {
    try {
      return this.#matters(message);
    } catch (error) {
      if (error instanceof RangeError) return true;
      throw error;
    }
  }

  #matters({ type, body }: NetlinkMessage): boolean {
    switch (type) {
      case RTM_NEWLINK: {
        if (body[0] !== INTERFACE_ITSELF) return false;
        const { index, name, master } = decodeLink(body);
        const now = `${name} ${master ?? ""}`;
        const before = this.#links.get(index);
        this.#links.set(index, now);
        return now !== before;
      }
      case RTM_DELLINK:
        if (body[0] !== INTERFACE_ITSELF) return false;
        this.#links.delete(decodeLink(body).index);
        return true;
      case RTM_NEWROUTE:
      case RTM_DELROUTE: {
        const route = decodeRoute(body);
        return route !== undefined && routeLeadsUpstream(route);
      }
      default:
        return false;
    }
  }
}
