/**
 * The keys of `checks`, and of an upstream's `check`.
 * @module
 */
import * as v from "valibot";
import { hostAndPort } from "../values/hosts.ts";
import { duration } from "../values/scalars.ts";
import { integer, section, wordOr } from "../values/values.ts";

const MAX_COUNT = 100;

/** Section with the ways of upstreams' checks. */
export const checks = section({
  interval: v.optional(duration(100)),
  timeout: v.optional(duration(1)),
  rise: v.optional(integer({ expected: "a number of successes", min: 1, max: MAX_COUNT })),
  fall: v.optional(integer({ expected: "a number of faults", min: 1, max: MAX_COUNT })),
  target: v.optional(wordOr("none", { schema: hostAndPort(), json: { type: "string" } })),
});
