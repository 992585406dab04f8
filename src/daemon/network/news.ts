/**
 * Notifications of rtnetlink that can change the rules: interfaces that come, go, or get another name or
 * master, default routes and ways beside each other, routing rules. Routers hear of much else, a neighbour's
 * flapping route or a radio's statistics among it. Pure.
 * @module
 */
import { announcesUninstall } from "../../kernel/routing/announcement.ts";
import { isOurRoute, isPin } from "../../kernel/routing/ours.ts";
import { routeLeadsUpstream } from "../../kernel/routing/upstream.ts";
import type { NetlinkMessage } from "../../netlink/message.ts";
import { decodeLink, hasCarrier } from "../../netlink/route/link.ts";
import {
  RTM_DELLINK,
  RTM_DELROUTE,
  RTM_DELRULE,
  RTM_NEWLINK,
  RTM_NEWROUTE,
  RTM_NEWRULE,
} from "../../netlink/route/message.ts";
import { decodeRoute } from "../../netlink/route/route.ts";
import { decodeRoutingRule } from "../../netlink/route/rule.ts";
import type { NetworkChange } from "./change.ts";

/**
 * AF_UNSPEC: the interface itself. A bridge tells of its ports with AF_BRIDGE, and of other changes so too.
 */
const INTERFACE_ITSELF = 0;

/** Remembers the interfaces, to know a change from a repetition. */
export class NetworkNews {
  readonly #links = new Map<number, string>();
  readonly #carriers = new Map<number, boolean>();

  /**
   * Adds what a message tells; false: that is nothing. One that cannot be read may tell anything. `own`: this
   * process has sent the request; what it does to its own rules is no news.
   */
  read(message: NetlinkMessage, own: boolean, change: NetworkChange): boolean {
    try {
      return this.#read(message, own, change);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      change.all();
      return true;
    }
  }

  #read({ type, body }: NetlinkMessage, own: boolean, change: NetworkChange): boolean {
    switch (type) {
      case RTM_NEWLINK: {
        if (body[0] !== INTERFACE_ITSELF) return false;
        const { index, name, master } = decodeLink(body);
        const now = `${name} ${master ?? ""}`;
        const isOther = now !== this.#links.get(index);
        const carrier = hasCarrier(body);
        if (!isOther && carrier === this.#carriers.get(index)) return false;
        this.#links.set(index, now);
        this.#carriers.set(index, carrier);
        if (isOther) change.plan = true;
        else change.carrier = true;
        return true;
      }
      case RTM_DELLINK:
        if (body[0] !== INTERFACE_ITSELF) return false;
        this.#links.delete(decodeLink(body).index);
        this.#carriers.delete(decodeLink(body).index);
        change.plan = true;
        return true;
      case RTM_NEWROUTE:
      case RTM_DELROUTE: {
        const route = decodeRoute(body);
        if (route === undefined) return false;
        if (routeLeadsUpstream(route) || route.nextHops !== undefined) change.plan = true;
        else if (isOurRoute(route) && !own) change.rules = true;
        else return false;
        return true;
      }
      case RTM_NEWRULE:
      case RTM_DELRULE: {
        const rule = decodeRoutingRule(body);
        if (rule === undefined) return false;
        if (type === RTM_NEWRULE && announcesUninstall(rule)) change.uninstalled = true;
        // Workers pin, by sockets of their own.
        if (type === RTM_NEWRULE && isPin(rule)) change.pins = true;
        else if (own) return false;
        else change.rules = true;
        return true;
      }
      default:
        return false;
    }
  }
}
