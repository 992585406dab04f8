/**
 * The loopback interface: intercepted packets are delivered by a route through it.
 * @module
 */
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import type { Situation } from "../situation.ts";

/** The check; the situation has its facts. */
export const loopback: Check<void> = {
  id: "loopback",
  read: () => {},
  judge: (_facts, situation) => judgeLoopback(situation),
};

/** Tells whether it is up. */
export function judgeLoopback({ links, families }: Situation): Finding[] {
  const found = links.find((link) => link.loopback);
  const id = "loopback";
  if (found?.up === true) return [works(id, `interface ${found.name} is up`)];
  return [warning(id, {
    what: found === undefined ? "there is no loopback interface" : `interface ${found.name} is down`,
    blocks: families.includes("ipv6"),
    cause:
      "Packets to the proxy are delivered through it, and the proxy listens on its addresses: IPv6 does not " +
      "work without, IPv4 may",
    remedy: "ip link set lo up",
  })];
}
