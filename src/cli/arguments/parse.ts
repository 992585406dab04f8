/**
 * Options of one command: parsing, its help, and wording of what is wrong with them.
 * @module
 */
import { runParserSync } from "@optique/core/facade";
import { formatMessage, type Message, message, text } from "@optique/core/message";
import { formatUsage } from "@optique/core/usage";
import { splitAttachedValues } from "./attached_values.ts";
import { addDefaultValues } from "./default_values.ts";
import type { AnyCommand } from "../command.ts";
import type { Env } from "../env.ts";
import { helpWidth } from "./usage.ts";

/** Meaning of the options: run with them, or end now. */
export type Parsed = { readonly options: unknown } | { readonly exitCode: number };

/** Thrown through the parser, which has no other way out. */
class Stop {
  constructor(readonly exitCode: number) {}
}

/** Parses what follows the command's name. Help goes to stdout (exit code 0), a complaint to stderr (2). */
export function parseOptions(env: Env, command: AnyCommand, args: readonly string[]): Parsed {
  const programName = `tproxy ${command.name}`;
  const examples = command.examples?.map((line) => `  tproxy ${line}`).join("\n");
  const words = addDefaultValues(
    splitAttachedValues(args, command.valueLetters ?? ""),
    command.defaultValues ?? {},
  );
  try {
    const options = runParserSync(command.parser, programName, words, {
      help: {
        option: { names: ["-h", "--help"] },
        onShow: (code) => {
          throw new Stop(code);
        },
      },
      brief: message`${text(`${command.summary}.`)}`,
      ...(command.details ? { description: paragraphs(command.details) } : {}),
      maxWidth: helpWidth(env),
      termWidth: "auto",
      showChoices: false,
      aboveError: "none",
      stdout: (output) => {
        env.stdout(
          output.replaceAll(/ +$/gm, "").trimEnd() + "\n" +
            (examples === undefined ? "" : `\nExamples:\n${examples}\n`),
        );
      },
      stderr: () => {},
      onError: (_code, error) => {
        const usage = formatUsage(programName, command.parser.usage);
        env.stderr(`${programName}: ${plain(error, usage)}\nTry: ${programName} --help\n`);
        throw new Stop(2);
      },
    });
    return { options };
  } catch (error) {
    if (error instanceof Stop) return { exitCode: error.exitCode };
    throw error;
  }
}

/** Sentences that do not name what is missing. */
const NAMELESS = /^(?:Missing required argument|No matching option found)\.$/;

function plain(error: Message, usage: string): string {
  const text = formatMessage(error, { colors: false, quotes: true }).replaceAll(/\s*\n\s*/g, " ").trim();
  if (NAMELESS.test(text)) return `Something is missing: ${usage}`;
  // Any two options of one letter are near to each other.
  return text.replace(/("-[^-"]"\.) Did you mean .*$/, "$1");
}

function paragraphs(lines: readonly string[]): Message {
  return [text(lines.join("\n\n"))];
}
