/**
 * The topic `json`, made of what the commands say of theirs.
 * @module
 */
import type { Topic } from "../topic.ts";

const MARK = "JSON: ";

/** See the module. */
export const JSON_TOPIC: Topic = {
  name: "json",
  summary: "What --json prints, for scripts",
  write: (commands) => [
    "Everything on stdout is data, everything else is on stderr. A document has the number of its form, version; keys are only " +
    "ever added. Times are milliseconds where the key ends in Ms, else ISO 8601 or milliseconds since 1970; sizes are bytes.",
    ...commands.flatMap(({ name, details = [] }) =>
      details.filter((paragraph) => paragraph.startsWith(MARK)).map((paragraph) =>
        `${name}: ${paragraph.slice(MARK.length)}`
      )
    ),
  ],
};
