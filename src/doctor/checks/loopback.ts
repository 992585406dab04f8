/**
 * The loopback interface: intercepted packets are delivered by a route through it.
 * @module
 */
import { type Finding, warning, works } from "../finding.ts";
import type { Situation } from "../situation.ts";

/** A finding: whether it is up. */
export function judgeLoopback({ links, families }: Situation): Finding[] {
  const loopback = links.find((link) => link.loopback);
  const id = "loopback";
  if (loopback?.up === true) return [works(id, `interface ${loopback.name} is up`)];
  return [warning(id, {
    what: loopback === undefined ? "there is no loopback interface" : `interface ${loopback.name} is down`,
    blocks: families.includes("ipv6"),
    cause:
      "Packets to the proxy are delivered through it, and the proxy listens on its addresses: IPv6 does not " +
      "work without, IPv4 may",
    remedy: "ip link set lo up",
  })];
}
