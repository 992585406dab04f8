/**
 * The trial that the kernel knows of.
 * @module
 */
import { TABLE_NAME } from "../../../constants.ts";
import type { NetlinkConnection } from "../../../netlink/connection.ts";
import { readGeneration } from "../../../netlink/nft/generation.ts";
import { listRules } from "../../../netlink/nft/rule.ts";
import { listElements } from "../../../netlink/nft/sets/element.ts";
import { listSets } from "../../../netlink/nft/sets/set.ts";
import { readTableIfPossible } from "../state/state.ts";
import { endTrial } from "./batches.ts";
import { TRIAL_SET } from "./generations.ts";

const TABLE = { family: "inet", name: TABLE_NAME } as const;
const WHERE = { family: "inet", table: TABLE_NAME } as const;

/** Reads how many milliseconds a trial still lasts; 0: it is over, and not tidied up; undefined: none. */
export function readTrial(netfilter: NetlinkConnection): number | undefined {
  if (readTableIfPossible(netfilter) === undefined) return undefined;
  if (!listSets(netfilter, TABLE).some(({ name }) => name === TRIAL_SET)) return undefined;
  const elements = listElements(netfilter, { ...WHERE, name: TRIAL_SET });
  return Math.max(0, ...elements.map(({ expiresMs = 0 }) => expiresMs));
}

/**
 * Takes the rules on trial away, where the trial is over, or `early`. False: there is none that is to end.
 * Throws an OperationError, ERESTART where somebody has changed rules meanwhile.
 */
export function removeTrial(netfilter: NetlinkConnection, { early }: { early: boolean }): boolean {
  const generation = readGeneration(netfilter);
  const left = readTrial(netfilter);
  const head = readTableIfPossible(netfilter);
  if (head === undefined || left === undefined || (left > 0 && !early)) return false;
  const sets = listSets(netfilter, TABLE);
  endTrial({ ...head, sets, rules: listRules(netfilter, WHERE) }).commit(netfilter, { generation });
  return true;
}
