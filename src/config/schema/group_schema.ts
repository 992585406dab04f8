/**
 * The items of `groups`.
 * @module
 */
import * as v from "valibot";
import { text } from "../values/scalars.ts";
import { list, mapping, named, oneOf, pathItem } from "../values/values.ts";

/** Bits of the set of those that a flow has tried. */
const MOST_MEMBERS = 32;

/** Fate of flows that no upstream can take. */
export function whenDown() {
  return oneOf("block", "direct");
}

const group = v.pipe(
  mapping({
    members: v.optional(list(text("the name of an upstream"), "[office, office2]")),
    strategy: v.optional(oneOf("failover", "least-connections", "hash")),
    "when-down": v.optional(whenDown()),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    const given = dataset.value as Readonly<Record<string, unknown>>;
    if (typeof given !== "object" || given === null) return;
    if (!Object.hasOwn(given, "members")) addIssue({ message: "a group needs members" });
    if (Array.isArray(given.members) && given.members.length > MOST_MEMBERS) {
      addIssue({
        message: `a group has at most ${MOST_MEMBERS} members`,
        path: [pathItem(given, "members")],
      });
    }
  }),
);

/** Groups of upstreams by name. */
export const groups = named(group, "expected names, each with a group");
