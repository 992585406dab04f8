/**
 * Spellings of names in `domains`: `x` that name, `*.x` all below, `.x` both. Pure.
 * @module
 */
import { OperationError } from "../net/error.ts";
import { parseEndpoint, parseIp, parsePrefix } from "../net/ip.ts";
import { canonicalName } from "./canonical.ts";
import { NAME_KINDS, type NameKind } from "./kinds.ts";

/** An entry of `domains`. */
export interface NamePattern {
  readonly kind: Exclude<NameKind, typeof NAME_KINDS.exception>;
  /** In the canonical form. */
  readonly name: string;
}

/** Refusal of a text that is no pattern. */
export interface PatternProblem {
  /** The reason, with the remedy where there is one; fit to follow a colon. */
  readonly problem: string;
}

/** Reads an entry of `domains`. */
export function parsePattern(text: string): NamePattern | PatternProblem {
  const { kind, prefix } = spellingOf(text);
  const name = canonicalName(text.slice(prefix.length));
  return name === undefined ? { problem: explain(text, text.slice(prefix.length)) } : { kind, name };
}

/** Reads an entry that has been read before. Throws an OperationError for one that would be refused. */
export function patternOf(text: string): NamePattern {
  const read = parsePattern(text);
  if ("kind" in read) return read;
  throw new OperationError({ operation: "read domain", object: text, reason: read.problem });
}

/** The spelling of a pattern: `*.example.com`. */
export function formatPattern({ kind, name }: NamePattern): string {
  switch (kind) {
    case NAME_KINDS.exact:
      return name;
    case NAME_KINDS.below:
      return `*.${name}`;
    case NAME_KINDS.both:
      return `.${name}`;
    default:
      throw kind satisfies never;
  }
}

function spellingOf(text: string): { kind: NamePattern["kind"]; prefix: string } {
  if (text.startsWith("*.")) return { kind: NAME_KINDS.below, prefix: "*." };
  if (text.startsWith(".")) return { kind: NAME_KINDS.both, prefix: "." };
  return { kind: NAME_KINDS.exact, prefix: "" };
}

/** Explains why a text is no pattern; `written` is what stands for the name. */
function explain(text: string, written: string): string {
  if (text === "") return "it is empty";
  if (/^[*.]+$/.test(text)) return 'it names no domain; write one, such as "*.example.com"';
  if (written.includes("*")) return '"*" stands only at the beginning, before a dot: "*.example.com"';
  if (parseIp(written.replace(/^\[(.*)\]$/, "$1")) !== undefined) return "an address is no name; use `to`";
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(written)) return "this is a URL; write the name alone";
  if (parsePrefix(written) !== undefined) return "a network is no name; use `to`";
  if (parseEndpoint(written) !== undefined) return "an address is no name; use `to` and `ports`";
  if (/^[^:]+:\d+$/.test(written)) return "it has a port; write the name alone, and use `ports`";
  if (/\s/.test(written)) return "it has a space";
  const labels = written.replace(/\.$/, "").split(".");
  if (labels.includes("")) return "two dots follow each other";
  const strange = /[^-_.a-z0-9\P{ASCII}]/iu.exec(written)?.[0];
  if (strange !== undefined) return `a name cannot have ${JSON.stringify(strange)}`;
  if (/\P{ASCII}/u.test(written)) return "these characters make no international name, or one too long";
  if (labels.some(({ length }) => length > 63)) return "a part between dots is longer than 63 characters";
  if (written.length > 253) return "it is longer than 253 characters";
  return `it would be read as an address: its last part, ${JSON.stringify(labels.at(-1))}, is a number`;
}
