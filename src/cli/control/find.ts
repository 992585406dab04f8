/**
 * The control socket of the proxy that a command means.
 * @module
 */
import { DEFAULT_CONFIG } from "../../config/defaults.ts";
import { ConfigError } from "../../config/error.ts";
import { configSource } from "../arguments/config_option.ts";
import type { Env } from "../env.ts";

/** The exit code where no proxy answers. */
export const NOBODY = 3;

/** The key at the top, in a text that may be no YAML at all. */
const CONTROL = /(?:^|[{,])\s*["']?control["']?\s*:\s*["']?(\/[^\s"'#,}]+|off\b)/m;

/**
 * Finds the path of the control socket, or `off`. A config may be wrong, for what runs has an earlier one:
 * then the path is what can be read of it. Throws an OperationError where there is no such file.
 */
export async function findControl(env: Env, config: string | undefined): Promise<string> {
  const { loadConfig } = await import("../../config/load.ts");
  const source = configSource(env, config);
  const texts: string[] = []; // the config, then the lists that it names
  const readTextFile = (path: string) => {
    const text = source.readTextFile(path);
    texts.push(text);
    return text;
  };
  try {
    return loadConfig({ ...source, readTextFile }).config.control;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return CONTROL.exec(texts[0] ?? "")?.[1] ?? DEFAULT_CONFIG.control;
  }
}
