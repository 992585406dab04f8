/**
 * The programs of iptables, and what they hold of ours.
 * @module
 */
import type { IptablesPrograms } from "../../kernel/iptables/state/programs.ts";
import {
  type InstalledIptables,
  isInstalled,
  mayHoldAny,
  readIptables,
  type StateSource,
} from "../../kernel/iptables/state/state.ts";
import { OperationError } from "../../net/error.ts";

/** The programs of iptables, and what they hold. */
export interface IptablesFacts {
  /** The kinds that are here; an install uses the first. */
  readonly programs: readonly IptablesPrograms[];
  /** Chains with our prefix, of each kind. */
  readonly chains: readonly InstalledIptables[];
  /** The reason why they could not be read; empty if they could. */
  readonly obstacle: string;
}

/** Runs `iptables-save` of each kind, where the kernel shows that it holds something. */
export async function readIptablesFacts(
  programs: readonly IptablesPrograms[],
  source: StateSource,
): Promise<IptablesFacts> {
  try {
    const some = mayHoldAny(source);
    const chains = some ? await Promise.all(programs.map((kind) => readIptables(kind, source))) : [];
    return { programs, chains, obstacle: "" };
  } catch (error) {
    if (error instanceof OperationError) return { programs, chains: [], obstacle: error.message };
    throw error;
  }
}

/** Tells whether rules of an install are in iptables. */
export function holdsInstall({ chains }: IptablesFacts): boolean {
  return chains.some(isInstalled);
}
