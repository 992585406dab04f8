/**
 * The choice of the kind of iptables that an install uses.
 * @module
 */
import { OperationError } from "../../../net/error.ts";
import { hasNfTables } from "../../machine/nf_tables.ts";
import { findPrograms, type IptablesPrograms, PACKAGES_HINT } from "./programs.ts";
import type { StateSource } from "./state.ts";

/** The kinds of iptables that are here. */
export interface ChosenPrograms {
  /** The one of the plain name; where it is iptables-nft and the kernel has no nf_tables, iptables-legacy. */
  readonly programs: IptablesPrograms;
  readonly others: readonly IptablesPrograms[];
}

/** Finds the one to use. Throws an OperationError if there is none. */
export async function choosePrograms({ netfilter }: Pick<StateSource, "netfilter">): Promise<ChosenPrograms> {
  const all = await findPrograms();
  const programs = all.find(({ variant }) => variant === "legacy" || hasNfTables(netfilter));
  if (programs !== undefined) return { programs, others: all.filter((other) => other !== programs) };
  throw new OperationError({
    operation: "use backend",
    object: "iptables",
    reason: all.length === 0
      ? "there is no program iptables"
      : `this kernel has no nf_tables, which ${
        all[0].version
      } needs, and there is no program iptables-legacy`,
    hint: PACKAGES_HINT,
  });
}
