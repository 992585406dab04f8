/**
 * The items of `groups`.
 * @module
 */
import * as v from "valibot";
import { text } from "../values/scalars.ts";
import { list, mapping, named, oneOf } from "../values/values.ts";

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
  }),
);

/** Groups of upstreams by name. */
export const groups = named(group, "expected names, each with a group");
