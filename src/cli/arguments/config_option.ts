/**
 * `-c FILE`, as every command has it that reads the config.
 * @module
 */
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { type ValueParser } from "@optique/core/valueparser";
import type { LoadedConfig, LoadOptions } from "../../config/load.ts";
import type { ConfigUser } from "../../config/support.ts";
import type { Env } from "../env.ts";

/** The word for standard input, or standard output, in the place of a file. */
export const STREAM = "-";

/** The name of standard input where a file's would stand: `<stdin>:4:3: …`. */
const STDIN_NAME = "<stdin>";

/**
 * The name of a file, or `-`. It need not exist; the shell completes it. `named`: it is needed more than
 * once, so a stream does not serve.
 */
export function filePath({ named = false } = {}): ValueParser<"sync", string> {
  return {
    mode: "sync",
    metavar: "FILE",
    placeholder: "",
    parse(input) {
      if (input === "") return { success: false, error: message`The name of the file is empty.` };
      if (named && input === STREAM) {
        const error =
          message`A reload reads the config again, and standard input cannot be read again: name a file.`;
        return { success: false, error };
      }
      return { success: true, value: input };
    },
    format: (path) => path,
    *suggest(prefix) {
      yield { kind: "file", type: "file", pattern: prefix };
      if (!named && STREAM.startsWith(prefix)) yield { kind: "literal", text: STREAM };
    },
  };
}

/** The option itself; `undefined` where it is not given. */
export const configOption = optional(option("-c", "--config", filePath(), {
  description:
    message`Config to use; -: standard input. Without it: /etc/tproxy/tproxy.yaml if it is there, else built-in defaults.`,
}));

/** The same where the config is read again and again. */
export const configFileOption = optional(option("-c", "--config", filePath({ named: true }), {
  description:
    message`Config to use. Without it: /etc/tproxy/tproxy.yaml if it is there, else built-in defaults.`,
}));

/** Gives the place of a config that the command line names. */
export function configSource(env: Env, path: string | undefined): LoadOptions {
  const { readTextFile, readStdin } = env;
  if (path !== STREAM) return { ...(path === undefined ? {} : { path }), readTextFile };
  return {
    path: STDIN_NAME,
    readTextFile: (path) => path === STDIN_NAME ? readStdin() : readTextFile(path),
  };
}

/**
 * Loads the config that the command line names, and says on stderr when it is the built-in one. With `user`,
 * refuses what that command cannot do yet and warns of the rest. Throws OperationErrors with exit code 2.
 */
export async function loadConfigOption(
  env: Env,
  { path, user }: { readonly path: string | undefined; readonly user?: ConfigUser },
): Promise<LoadedConfig> {
  const { loadConfig } = await import("../../config/load.ts");
  const { requireSupported } = await import("../../config/support.ts");
  const loaded = loadConfig(configSource(env, path));
  const warnings = user === undefined ? [] : requireSupported(loaded, user);
  env.stderr(`tproxy: config: ${loaded.origin}\n`);
  for (const warning of warnings) env.stderr(`tproxy: warning: ${warning}\n`);
  return loaded;
}
