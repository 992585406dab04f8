/**
 * The loopback interface: intercepted packets are delivered by a route through it.
 * @module
 */
import { type Finding, warning, works } from "./finding.ts";
import type { Situation } from "./situation.ts";

/** A finding: whether it is up. */
export function judgeLoopback({ links }: Situation): Finding[] {
  const loopback = links.find((link) => link.loopback);
  const id = "loopback";
  if (loopback?.up === true) return [works(id, `interface ${loopback.name} is up`)];
  return [warning(id, {
    what: loopback === undefined ? "there is no loopback interface" : `interface ${loopback.name} is down`,
    blocks: true,
    cause: "Packets to the proxy are delivered through it, and the proxy listens on its addresses",
    remedy: "ip link set lo up",
  })];
}
