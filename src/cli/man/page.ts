/**
 * The manual page, made of the table of commands, the topics of help and the example config. Pure.
 * @module
 */
import { EXAMPLE_CONFIG } from "../../config/example.ts";
import type { AnyCommand } from "../command.ts";
import { CONFIG_TOPIC } from "../help/topics/config.ts";
import { EXIT_CODES_TOPIC } from "../help/topics/exit_codes.ts";
import { ENVIRONMENT, FILES } from "../help/topics/files.ts";
import { RULES_TOPIC } from "../help/topics/rules.ts";
import { SIGNALS_TOPIC } from "../help/topics/signals.ts";
import { readExample } from "./config_keys.ts";
import { describeOptions, formatSynopsis } from "./options.ts";
import { bold, entry, escapeText, italic, literal, paragraph, section, subsection } from "./roff.ts";

/** Facts that the page names. */
export interface PageFacts {
  readonly version: string;
  readonly date: Date;
}

/** Pages of the same section, and of what it works with. */
const SEE_ALSO = ["nft(8)", "iptables(8)", "ip-rule(8)", "ip-route(8)", "systemctl(1)"];

/** Writes the page. `about`: what the program does, in a sentence. */
export function formatPage(
  commands: readonly AnyCommand[],
  about: string,
  { version, date }: PageFacts,
): string {
  const day = date.toISOString().slice(0, 10);
  return [
    `.TH TPROXY 8 ${day} "tproxy ${escapeText(version)}" "System Administration"`,
    ...section("NAME"),
    "tproxy \\- transparent proxy for Linux routers",
    ...section("SYNOPSIS"),
    `${bold("tproxy")} ${italic("COMMAND")} [${italic("OPTION")}]\\[u2026]`,
    ".br",
    `${bold("tproxy help")} [${italic("COMMAND")}|${italic("TOPIC")}]`,
    ".br",
    `${bold("tproxy --version")}`,
    ...section("DESCRIPTION"),
    ...paragraph(about).slice(1),
    ...section("COMMANDS"),
    ...commands.flatMap(describeCommand),
    ...section("CONFIGURATION"),
    ...describeConfig(),
    ...section("EXIT STATUS"),
    ...describe(EXIT_CODES_TOPIC.write(commands)),
    ...section("FILES"),
    ...describe(FILES),
    ...section("SIGNALS"),
    ...describe(SIGNALS_TOPIC.write(commands)),
    ...section("ENVIRONMENT"),
    ...ENVIRONMENT.flatMap(([name, text]) => entry(bold(name), text)),
    ...section("EXAMPLES"),
    ...commands.flatMap(showExamples),
    ...section("SEE ALSO"),
    ...SEE_ALSO.map((page, index) => formatReference(page) + (index < SEE_ALSO.length - 1 ? "," : "")),
    "",
  ].join("\n");
}

function describeCommand(command: AnyCommand): string[] {
  return [
    ...subsection(command.name),
    formatSynopsis(command),
    ...paragraph(`${command.summary}.`),
    ...(command.details ?? []).flatMap(paragraph),
    ...describeOptions(command),
  ];
}

function describeConfig(): string[] {
  const parts = readExample(EXAMPLE_CONFIG).flatMap((part) => {
    switch (part.kind) {
      case "prose":
        return paragraph(part.text);
      case "key":
        return entry(`${bold(part.key)}: ${italic(part.value)}`, part.text);
      case "example":
        return literal(part.lines);
      default:
        throw new TypeError(`No part ${JSON.stringify(part satisfies never)}`);
    }
  });
  const [introduction] = CONFIG_TOPIC.write([]);
  return [
    ...describe([introduction]),
    ...parts,
    ...subsection("Rules"),
    ...describe(RULES_TOPIC.write([])),
  ];
}

/** Sets the paragraphs of a topic of help; its columns become lists. */
function describe(paragraphs: readonly string[]): string[] {
  const rows: { tag: string; text: string }[] = [];
  const lines: string[] = [];
  const flush = () => {
    lines.push(...rows.splice(0).flatMap(({ tag, text }) => entry(bold(tag), text)));
  };
  for (const text of paragraphs) {
    const [, tag, explained] = /^ {2}(\S(?:.*?\S)?) {2,}(\S.*)$/.exec(text) ??
      /^ {2}(\/\S+) (\S.*)$/.exec(text) ?? [];
    const last = rows.at(-1);
    if (tag !== undefined) rows.push({ tag, text: explained });
    else if (text.startsWith("   ") && last !== undefined) last.text += ` ${text.trim()}`;
    else {
      flush();
      lines.push(...paragraph(text));
    }
  }
  flush();
  // A paragraph right below a heading is one already.
  return lines[0] === ".PP" ? lines.slice(1) : lines;
}

function showExamples({ name, summary, examples = [] }: AnyCommand): string[] {
  if (examples.length === 0) return [];
  return [...entry(bold(name), `${summary}:`), ...literal(examples.map((line) => `tproxy ${line}`))];
}

function formatReference(page: string): string {
  const [name, rest] = page.split("(");
  return `.BR ${escapeText(name)} (${rest}`;
}
