/**
 * `-c FILE`, as every command has it that reads the config.
 * @module
 */
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { type ValueParser } from "@optique/core/valueparser";
import type { LoadedConfig } from "../../config/load.ts";
import type { ConfigUser } from "../../config/support.ts";
import type { Env } from "../env.ts";

/** The name of a file. It need not exist; the shell completes it. */
export function filePath(): ValueParser<"sync", string> {
  return {
    mode: "sync",
    metavar: "FILE",
    placeholder: "",
    parse: (input) =>
      input === ""
        ? { success: false, error: message`The name of the file is empty.` }
        : { success: true, value: input },
    format: (path) => path,
    *suggest(prefix) {
      yield { kind: "file", type: "file", pattern: prefix };
    },
  };
}

/** The option itself; `undefined` where it is not given. */
export const configOption = optional(option("-c", "--config", filePath(), {
  description:
    message`Config to use. Without it: /etc/tproxy/tproxy.yaml if it is there, else built-in defaults.`,
}));

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
  const loaded = loadConfig({ ...(path === undefined ? {} : { path }), readTextFile: env.readTextFile });
  const warnings = user === undefined ? [] : requireSupported(loaded, user);
  env.stderr(`tproxy: config: ${loaded.origin}\n`);
  for (const warning of warnings) env.stderr(`tproxy: warning: ${warning}\n`);
  return loaded;
}
