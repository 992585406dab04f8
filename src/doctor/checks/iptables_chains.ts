/**
 * The chains of our names in iptables: whose they are, and whether they are those that the config asks for.
 * @module
 */
import { describeInstalled, isInstalled } from "../../kernel/iptables/state/state.ts";
import { FAMILIES } from "../../net/families.ts";
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import type { FirewallFacts, TableOwner } from "../machine/firewalls.ts";
import type { IptablesFacts } from "../machine/iptables.ts";
import type { Situation } from "../situation.ts";

/** The check. */
export const iptablesChains: Check<FirewallFacts> = {
  id: "iptables-chains",
  read: ({ firewalls }) => firewalls(),
  judge: ({ obstacle, iptables, owner }, situation) =>
    obstacle === undefined ? judgeChains(iptables, owner, situation) : [],
};

/** Makes findings of chains that somebody else made, or another backend; else one for our own. */
export function judgeChains(facts: IptablesFacts, table: TableOwner, { config }: Situation): Finding[] {
  const id = "iptables-chains";
  const what = "chains TPROXY_… of iptables";
  const { backend } = config.kernel;
  const iptables = backend === "iptables";
  const { chains, obstacle } = facts;
  if (obstacle !== "") {
    const remedy = "Run doctor as root; see what the program says by itself";
    return [warning(id, { what, cause: obstacle, remedy, blocks: iptables })];
  }
  const foreign = chains.flatMap(({ programs, tables }) =>
    FAMILIES.flatMap((family) =>
      tables[family].filter(({ comment }) => comment === undefined).map((saved) =>
        `${[...saved.chains.keys()].join(" ")} (${family}, table ${saved.table} of ${programs.version})`
      )
    )
  );
  if (foreign.length > 0) {
    return [warning(id, {
      what,
      cause: `tproxy did not make ${foreign.join(", ")}`,
      remedy: "Delete them if nobody needs them",
      blocks: iptables,
    })];
  }
  const installed = chains.filter(isInstalled);
  const here = installed.map(describeInstalled);
  const others = iptables
    ? [
      ...installed.filter(({ programs }) => programs.version !== facts.programs[0]?.version).map(
        describeInstalled,
      ),
      ...table === "tproxy" ? ["the table of the backend netlink"] : [],
    ]
    : here;
  if (others.length > 0) {
    return [warning(id, {
      what: `an install with kernel.backend: ${backend}`,
      cause: `An earlier install is there with another backend: ${others.join(", ")}`,
      remedy: 'Run "tproxy uninstall" first',
      blocks: true,
    })];
  }
  if (!iptables && chains.length === 0) return [];
  return [works(id, what, here.length > 0 ? "installed" : "free")];
}
