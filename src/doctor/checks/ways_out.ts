/**
 * The default routes: without one, nothing but networks that the router knows is reached. Pure.
 * @module
 */
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import type { Situation } from "../situation.ts";

/** The check; the situation has its facts. */
export const waysOut: Check<void> = {
  id: "ways-out",
  read: () => {},
  judge: (_facts, situation) => judgeWaysOut(situation),
};

/** Judges them. */
export function judgeWaysOut({ network: { defaultRouteLinks } }: Situation): Finding[] {
  const id = "ways-out";
  if (defaultRouteLinks.length > 0) return [works(id, `default route by ${defaultRouteLinks.join(", ")}`)];
  return [warning(id, {
    what: "no default route",
    cause: "Only networks that this router has routes to are reached, with a proxy as without",
    remedy:
      'See "ip route" and "ip -6 route", and what should bring the route: DHCP, PPP, router advertisements',
  })];
}
