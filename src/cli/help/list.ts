/**
 * The topics of `tproxy help`, in the order in which they are listed: a line each.
 * @module
 */
import type { Topic } from "./topic.ts";
import { CONFIG_TOPIC } from "./topics/config.ts";
import { EXIT_CODES_TOPIC } from "./topics/exit_codes.ts";
import { FILES_TOPIC } from "./topics/files.ts";
import { JSON_TOPIC } from "./topics/json.ts";
import { RULES_TOPIC } from "./topics/rules.ts";
import { SIGNALS_TOPIC } from "./topics/signals.ts";

/** See the module. */
export const TOPICS: readonly Topic[] = [
  CONFIG_TOPIC,
  RULES_TOPIC,
  EXIT_CODES_TOPIC,
  JSON_TOPIC,
  FILES_TOPIC,
  SIGNALS_TOPIC,
];
