/**
 * Options and arguments of a command, as its parser knows them.
 * @module
 */
import { formatMessage } from "@optique/core/message";
import { getDocPageSync } from "@optique/core/parser";
import type { UsageTerm } from "@optique/core/usage";
import { formatUsage } from "@optique/core/usage";
import type { AnyCommand } from "../command.ts";
import { bold, entry, escapeText, italic } from "./roff.ts";

/** Writes the line that shows all of them: names in bold, what stands for a value in italics. */
export function formatSynopsis({ name, parser }: AnyCommand): string {
  const program = `tproxy ${name}`;
  const words = formatUsage(program, getDocPageSync(parser)?.usage ?? []).slice(program.length);
  const styled = escapeText(words).replaceAll(
    /(?:\\-)+[a-z0-9A-Z]+(?:(?:\\-)[a-z0-9]+)*|\b[A-Z][A-Z|:]+\b/g,
    (word) => `\\%${word.startsWith("\\") ? "\\fB" : "\\fI"}${word}\\fR`, // \%: never broken
  );
  return bold(program) + styled.replaceAll("...", "\\[u2026]").trimEnd();
}

/** Lists them, each with its explanation. */
export function describeOptions({ parser }: AnyCommand): string[] {
  const sections = getDocPageSync(parser)?.sections ?? [];
  return sections.flatMap(({ entries }) => entries).flatMap(({ term, description }) =>
    entry(formatTerm(term), formatMessage(description ?? [], { quotes: false }))
  );
}

function formatTerm(term: UsageTerm): string {
  if (term.type === "argument") return italic(term.metavar);
  if (term.type !== "option") throw new TypeError(`No option or argument: ${term.type}`);
  const names = term.names.map(bold).join(", ");
  return term.metavar === undefined ? names : `${names} ${italic(term.metavar)}`;
}
