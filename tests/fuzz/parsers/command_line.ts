/**
 * Words of the administrator: the config, and command lines of the tools.
 * @module
 */
import assert from "node:assert/strict";
import { parseOptions } from "../../../src/cli/arguments/parse.ts";
import type { AnyCommand } from "../../../src/cli/command.ts";
import { explainCommand } from "../../../src/cli/commands/explain.ts";
import { ncCommand } from "../../../src/cli/commands/nc.ts";
import { redirectCommand } from "../../../src/cli/commands/redirect.ts";
import type { Env } from "../../../src/cli/env.ts";
import { readQuestion } from "../../../src/cli/explain/question.ts";
import { type NcOptions, planNc } from "../../../src/cli/nc/plan.ts";
import { planRedirect, type RedirectOptions } from "../../../src/cli/redirect/plan.ts";
import { describeConfig } from "../../../src/config/describe.ts";
import { EXAMPLE_CONFIG } from "../../../src/config/example.ts";
import { loadText } from "../../../src/config/load.ts";
import { kindOf, orRefusal, type Parser } from "../parser.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const DESIGN = new URL("../../testdata/config/design.yaml", import.meta.url);
/** Keys and values in the example that are not in effect. */
const UNCOMMENTED = EXAMPLE_CONFIG.replaceAll(/^#(?=\w| {2})/gm, "");

/** The config: YAML. */
export const config: Parser = {
  name: "config",
  most: 8192,
  longestMs: 500, // each of thousands of faults is told with its place
  samples: () => [Deno.readFileSync(DESIGN), ...[EXAMPLE_CONFIG, UNCOMMENTED].map(encode)],
  words: [
    ...[
      "rules:\n",
      "- ",
      "{",
      "}",
      "[",
      "]",
      ": ",
      "&a ",
      "*a",
      "<<: *a\n",
      "!!binary ",
      "? ",
      "|\n  ",
      "---\n",
    ],
    ...["0x", "1e999", "-", "null", "~", "\ufeff", "\t", "__proto__: ", "constructor: ", "'", '"', "#", "\0"],
    ...["upstreams:\n", "  a: ", "to: ", "domains: ", "action: proxy", "socks5", "address: ", "10.0.0.0/8"],
  ],
  read: (input) =>
    orRefusal(() => {
      const { config, locate } = loadText(new TextDecoder().decode(input), "config", () => "10.0.0.0/8\n");
      locate(["rules", 0, "action"]);
      return `${config.rules.length} ${config.intercept.protocols.length} ${describeConfig(config).length}`;
    }),
};

const COMMANDS: readonly { command: AnyCommand; plan: (options: never) => unknown }[] = [
  { command: ncCommand, plan: (options: NcOptions) => planNc(options) },
  { command: redirectCommand, plan: (options: RedirectOptions) => planRedirect(options) },
  { command: explainCommand as AnyCommand, plan: (options: never) => readQuestion(options) },
];

/** Command lines: the first byte chooses the command, its words end with NUL. */
export const commandLine: Parser = {
  name: "command-line",
  most: 1024,
  samples: () =>
    [
      "\0-lkv\0-s\x00198.51.100.7\0-p\x008080",
      "\0-zv\x00192.0.2.1\x0020-25",
      "\x01-l\0-t\0-T\x0050080\x00192.0.2.1\x0080",
      "\x02--from\x0010.0.0.2\0--to\x00192.0.2.1:443\0--domain\0a.test",
    ].map(encode),
  words: [
    "-",
    "--",
    "-w",
    "0-65535",
    "99999999999999999999",
    "\0",
    "=",
    "[::1]:0",
    "fe80::1%",
    "--help\0",
    "-é",
  ],
  read(input) {
    const { command, plan } = COMMANDS[(input[0] ?? 0) % COMMANDS.length];
    const words = new TextDecoder().decode(input.subarray(1)).split("\0");
    let complaint = "";
    const env = { columns: 80, stdout: () => {}, stderr: (text: string) => complaint += text };
    const parsed = parseOptions(env as unknown as Env, command, words);
    if ("exitCode" in parsed) {
      assert.ok(parsed.exitCode === 0 || parsed.exitCode === 2);
      return kindOf(complaint);
    }
    return orRefusal(() => {
      const planned = plan(parsed.options as never);
      return typeof planned === "string" ? kindOf(planned) : "planned";
    });
  },
};
