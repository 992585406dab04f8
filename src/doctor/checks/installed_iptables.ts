/**
 * The programs of iptables, and what they hold of ours: for the backend iptables, and to see that its rules are there.
 * @module
 */
import { OperationError } from "../../net/error.ts";
import { FAMILIES } from "../../net/families.ts";
import { findPrograms, type IptablesPrograms, PACKAGES_HINT } from "../../kernel/iptables/state/programs.ts";
import {
  describeInstalled,
  type InstalledIptables,
  isInstalled,
  mayHoldAny,
  readIptables,
  type StateSource,
} from "../../kernel/iptables/state/state.ts";
import { type Finding, warning, works } from "../finding.ts";
import type { TableOwner } from "./installed.ts";
import type { Situation } from "../situation.ts";

/** What was found of iptables. */
export interface IptablesFacts {
  /** The kinds that are here; an install uses the first. */
  readonly programs: readonly IptablesPrograms[];
  /** Chains with our prefix, of each kind. */
  readonly chains: readonly InstalledIptables[];
  /** Why they could not be read; empty if they could. */
  readonly obstacle: string;
}

/** Runs `iptables --version`; and `iptables-save`, where the kernel shows that it holds something. */
export async function readIptablesFacts(source: StateSource): Promise<IptablesFacts> {
  const programs = await findPrograms();
  try {
    const some = mayHoldAny(source);
    const chains = some ? await Promise.all(programs.map((kind) => readIptables(kind, source))) : [];
    return { programs, chains, obstacle: "" };
  } catch (error) {
    if (error instanceof OperationError) return { programs, chains: [], obstacle: error.message };
    throw error;
  }
}

/** Whether rules of an install are in iptables. */
export function holdsInstall({ chains }: IptablesFacts): boolean {
  return chains.some(isInstalled);
}

/** With the backend iptables: whether its programs are here for all families. */
export function judgePrograms({ programs }: IptablesFacts, { config, families }: Situation): Finding[] {
  if (config.kernel.backend !== "iptables") return [];
  const id = "iptables-programs";
  const what = "programs of iptables";
  const missing = (lacking: string): Finding => ({
    id,
    state: "missing",
    blocks: true,
    what,
    cause: `There is no program ${lacking}`,
    remedy: `${PACKAGES_HINT}; or set kernel.backend to netlink`,
  });
  const [chosen] = programs;
  if (chosen === undefined) return [missing("iptables")];
  const lacking = families.flatMap((family) => chosen.missing(family));
  return lacking.length > 0 ? [missing(lacking.join(", "))] : [works(id, what, chosen.version)];
}

/** Whose chains of our names are there, and whether they are those that the config asks for. */
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
