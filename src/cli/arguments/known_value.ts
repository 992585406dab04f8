/**
 * Values that the machine or the config knows: any word is taken, and the shell completes those that there
 * are.
 * @module
 */
import { message } from "@optique/core/message";
import type { ValueParser } from "@optique/core/valueparser";

/** A kind of value. */
export type ValueKind = "interface" | "rule" | "upstream" | "device";

/** Between a word and the kind that is to complete it; in no word of a command line. */
const SEPARATOR = "\0";

/** A word, completed by the values of a kind. */
export function knownValue(kind: ValueKind, metavar: string): ValueParser<"sync", string> {
  return {
    mode: "sync",
    metavar: metavar as ValueParser<"sync", string>["metavar"],
    placeholder: "",
    parse: (input) =>
      input === "" ? { success: false, error: message`The name is empty.` } : { success: true, value: input },
    format: (name) => name,
    // Which there are is asked for only when a shell completes, see completing/values.ts.
    *suggest(prefix) {
      yield { kind: "literal", text: `${prefix}${SEPARATOR}${kind}` };
    },
  };
}

/** The kind that is to complete a suggested word; undefined: the word is one already. */
export function kindOf(suggested: string): ValueKind | undefined {
  const [, kind] = suggested.split(SEPARATOR);
  return kind as ValueKind | undefined;
}
