/**
 * The files beside a config that a proxy needs at its start.
 * @module
 */
import { readSecrets } from "../../config/files/secrets.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { reportNames } from "./names.ts";

/**
 * Reads the lists of names and the passwords; returns a line for each list. Throws where a proxy would not
 * start with them: a ConfigError, or an OperationError.
 */
export function reportFiles(loaded: LoadedConfig): string[] {
  readSecrets(loaded);
  return reportNames(loaded);
}
