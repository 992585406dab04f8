/**
 * The topic `config`.
 * @module
 */
import { DEFAULT_CONFIG_PATH } from "../../../constants.ts";
import { EXAMPLE_CONFIG } from "../../../config/example.ts";
import type { Topic } from "../topic.ts";

/** See the module. */
export const CONFIG_TOPIC: Topic = {
  name: "config",
  summary: "Every key of the config, with its default and unit",
  write: () => [
    `The config is ${DEFAULT_CONFIG_PATH}, or the file that -c names. Without one the defaults ` +
    'hold. It is YAML, or JSON; every key is optional. "tproxy check" tells file, line and column of what is wrong, ' +
    '"tproxy config schema" prints a JSON Schema for editors. A running proxy takes a new one over on "tproxy reload".',
    ...EXAMPLE_CONFIG.trimEnd().split("\n").map((line) => `  ${line}`),
  ],
};
