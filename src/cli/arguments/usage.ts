/**
 * The list of commands.
 * @module
 */
import type { AnyCommand } from "../command.ts";
import type { Env } from "../env.ts";
import { TOPIC_NAMES } from "../help/names.ts";

/** The program in a sentence. */
export const ABOUT =
  "Makes this Linux router a transparent proxy: programs nf_tables and policy routing, and relays the connections " +
  "of the LAN without touching a client.";

const TOPICS_COLUMN = 27;

/** The width of help texts: the terminal's, within what is easy to read and what the layout needs. */
export function helpWidth(env: Env): number {
  return Math.max(40, Math.min(env.columns, 100));
}

/** Writes the text of `tproxy help` from the table of commands. */
export function formatUsage(env: Env, commands: readonly AnyCommand[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 4;
  const listed = (changesState: boolean) =>
    commands.filter((command) => command.changesState === changesState)
      .map(({ name, summary }) =>
        `  ${name.padEnd(width - 2)}${wrap(summary, { indent: width, width: helpWidth(env) })}`
      );
  return [
    "Usage: tproxy COMMAND [OPTION]…",
    "",
    ...wrap(ABOUT, { indent: 0, width: helpWidth(env) }).split("\n"),
    "",
    "Commands that change or load the machine:",
    ...listed(true),
    "",
    "Commands that only read:",
    ...listed(false),
    "",
    "  tproxy help COMMAND      options of a command, as does tproxy COMMAND --help",
    `  tproxy help TOPIC        ${
      wrap(TOPIC_NAMES.join(", "), { indent: TOPICS_COLUMN, width: helpWidth(env) })
    }`,
    "  tproxy --version         version of this program",
    "",
    "Exit codes: 0 done, 1 failed, 2 wrong usage or invalid config, 3 an answer",
    "(tproxy help exit-codes).",
    "",
  ].join("\n");
}

/** Breaks a text at spaces; all lines but the first begin with `indent` spaces. */
export function wrap(text: string, { indent, width }: { indent: number; width: number }): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line].join(`\n${" ".repeat(indent)}`);
}
