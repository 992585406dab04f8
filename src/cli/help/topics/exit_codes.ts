/**
 * The topic `exit-codes`, made of what the commands say of theirs.
 * @module
 */
import type { Topic } from "../topic.ts";

/** See the module. */
export const EXIT_CODES_TOPIC: Topic = {
  name: "exit-codes",
  summary: "Exit codes of every command",
  write: (commands) => [
    "  0  done",
    "  1  failed; stderr says what, with what, why, and what to do",
    "  2  wrong usage, or an invalid config",
    "  3  an answer: of explain, that a flow does not get through; of status --running and of commands that ask a running",
    "     proxy, that none answers",
    ...commands.flatMap(({ name, details = [] }) => {
      const sentences = details.filter((paragraph) => !paragraph.startsWith("JSON: ")).flatMap((paragraph) =>
        paragraph.match(/[^.]*\bexit code\b(?:[^.]|\.\S)*\./gi) ?? []
      );
      return sentences.length === 0
        ? []
        : [`${name}: ${sentences.map((sentence) => sentence.trim()).join(" ")}`];
    }),
  ],
};
