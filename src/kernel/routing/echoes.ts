/**
 * Echoes: rules of others that ask for a whole mark, once more for that mark with our bits beside it. Where
 * `src_valid_mark` has the reverse path check of IPv4 follow the mark, the check of a reply that goes to a
 * socket of ours asks the same rules as without us. Nothing else comes under them. Pure.
 * @module
 */
import { LOOPBACK, ROUTE_PROTOCOL, RULE_PRIORITY } from "../../constants.ts";
import { withBits } from "../../marks.ts";
import type { RoutingRule } from "../../netlink/route/rule.ts";

const WHOLE = 0xffffffff;

/** Tells whether a running proxy has made the rule for one of others. */
export function isEcho({ protocol, priority, mask }: RoutingRule): boolean {
  return protocol === ROUTE_PROTOCOL && priority > RULE_PRIORITY && mask === WHOLE;
}

/** Plans the echoes of rules, to stand behind these; `mark`: the bits of replies to sockets of ours. */
export function planEchoes(rules: readonly RoutingRule[], mark: number): RoutingRule[] {
  return rules.filter((rule) => asksForWholeMark(rule) && !isEcho(rule) && rule.priority > RULE_PRIORITY)
    .map((rule) => ({ ...rule, mark: withBits(rule.mark, mark), protocol: ROUTE_PROTOCOL }))
    .filter((echo) => !rules.some((rule) => rule.mark === echo.mark && !isEcho(rule)));
}

/** The check is of a packet that seems to come from the loopback interface. */
function asksForWholeMark({ family, mark, mask, inverted, iifname = LOOPBACK }: RoutingRule): boolean {
  return family === "ipv4" && mark !== 0 && mask === WHOLE && inverted !== true && iifname === LOOPBACK;
}
