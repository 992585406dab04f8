/**
 * Connections that the live rules forward since no proxy could carry their TCP options, as the rules count
 * them. Pure.
 * @module
 */
import type { NftRule } from "../../netlink/nft/rule.ts";
import { UNRELAYED } from "../plan/live/steer.ts";

/** Counts, by the option. */
export type Unrelayed = Record<keyof typeof UNRELAYED, number>;

/** No such connection. */
export const NONE_UNRELAYED: Readonly<Unrelayed> = { "tcp-md5": 0, "tcp-ao": 0, mptcp: 0 };

/** Reads the counters of rules. A SYN that is sent again counts again. */
export function countUnrelayed(rules: readonly NftRule[]): Unrelayed {
  const counts = { ...NONE_UNRELAYED };
  for (const { expressions } of rules) {
    const asked = expressions.find(({ kind }) => kind === "tcp-option");
    const counter = expressions.find(({ kind }) => kind === "counter");
    if (asked?.kind !== "tcp-option" || counter?.kind !== "counter") continue;
    for (const [name, { option }] of Object.entries(UNRELAYED)) {
      if (option === asked.option) counts[name as keyof Unrelayed] += Number(counter.packets ?? 0n);
    }
  }
  return counts;
}

/** Adds counts up. */
export function addUnrelayed(one: Readonly<Unrelayed>, other: Readonly<Unrelayed>): Unrelayed {
  return {
    "tcp-md5": one["tcp-md5"] + other["tcp-md5"],
    "tcp-ao": one["tcp-ao"] + other["tcp-ao"],
    mptcp: one.mptcp + other.mptcp,
  };
}
