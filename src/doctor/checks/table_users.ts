/**
 * Routes of other programs in our routing table. Pure.
 * @module
 */
import type { Family } from "../../net/ip.ts";
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import { describeProtocol } from "../machine/routing.ts";
import type { Situation } from "../situation.ts";

/** The check; the situation has its facts. */
export const tableUsers: Check<void> = {
  id: "table-users",
  ofBrought: true,
  read: () => {},
  judge: (_facts, situation) => judgeTableUsers(situation),
};

/**
 * Makes a finding for each route of another program. One that does what ours would is used as it is; one that
 * does something else makes an install refuse.
 */
export function judgeTableUsers({ network, config, families }: Situation): Finding[] {
  const { table } = config.kernel;
  const id = "table-users";
  const routes = network.foreignRoutes.filter(({ family }) => families.includes(family));
  if (routes.length === 0) return [works(id, `routing table ${table}: nobody else has a route in it`)];
  return routes.map(({ family, destination, protocol, deliversLocally }) =>
    warning(id, {
      what: `routing table ${table}: ${family} route to ${destination}`,
      blocks: !deliversLocally,
      cause: deliversLocally
        ? `Another program made it, and an install relies on it; ${
          describeProtocol(protocol)
        }. When it goes, ` +
          "nothing is intercepted any more"
        : `Another program uses the table; ${describeProtocol(protocol)}`,
      remedy: `Set kernel.table in the config to a number that nobody uses (see "ip ${
        dashSix(family)
      }route show table ${table}")`,
    })
  );
}

function dashSix(family: Family): string {
  return family === "ipv6" ? "-6 " : "";
}
