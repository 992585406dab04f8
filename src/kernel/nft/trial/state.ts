/**
 * The trial that the kernel knows of.
 * @module
 */
import { TABLE_NAME } from "../../../constants.ts";
import { OperationError } from "../../../net/error.ts";
import type { NetlinkConnection } from "../../../netlink/connection.ts";
import { readGeneration } from "../../../netlink/nft/generation.ts";
import { listRules } from "../../../netlink/nft/rule.ts";
import { listElements } from "../../../netlink/nft/sets/element.ts";
import { listSets } from "../../../netlink/nft/sets/set.ts";
import { readTableIfPossible } from "../state/state.ts";
import { endTrial } from "./batches.ts";
import { TRIAL_SET } from "./generations.ts";

/** Attempts at a change of rules, which others may change at the same time. */
const ATTEMPTS = 5;

const TABLE = { family: "inet", name: TABLE_NAME } as const;
const WHERE = { family: "inet", table: TABLE_NAME } as const;

/** Reads how many milliseconds a trial still lasts; 0: it is over, and not tidied up; undefined: none. */
export function readTrial(netfilter: NetlinkConnection): number | undefined {
  if (readTableIfPossible(netfilter) === undefined) return undefined;
  if (!listSets(netfilter, TABLE).some(({ name }) => name === TRIAL_SET)) return undefined;
  const elements = listElements(netfilter, { ...WHERE, name: TRIAL_SET });
  return Math.max(0, ...elements.map(({ expiresMs = 0 }) => expiresMs));
}

/** Takes the rules on trial away. False: there are none. Throws an OperationError. */
export function removeTrial(netfilter: NetlinkConnection): boolean {
  for (let attempt = 1;; attempt++) {
    try {
      return tryToRemove(netfilter);
    } catch (error) {
      const again = error instanceof OperationError && error.code === "ERESTART" && attempt < ATTEMPTS;
      if (!again) throw error;
    }
  }
}

/** ERESTART: somebody has changed rules meanwhile. */
function tryToRemove(netfilter: NetlinkConnection): boolean {
  const generation = readGeneration(netfilter);
  const head = readTableIfPossible(netfilter);
  if (head === undefined || readTrial(netfilter) === undefined) return false;
  const sets = listSets(netfilter, TABLE);
  endTrial({ ...head, sets, rules: listRules(netfilter, WHERE) }).commit(netfilter, { generation });
  return true;
}
