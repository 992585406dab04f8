/**
 * Texts of topics, set for a width. Pure.
 * @module
 */
import { wrap } from "../arguments/usage.ts";
import type { AnyCommand } from "../command.ts";
import type { Topic } from "./topic.ts";

/** Sets a topic; columns and what stands as it is are not broken. */
export function formatTopic(topic: Topic, commands: readonly AnyCommand[], width: number): string {
  const paragraphs = topic.write(commands);
  const lines = paragraphs.flatMap((text, index) => {
    const isFixed = text === "" || text.startsWith(" ");
    const follows = isFixed && (paragraphs[index - 1]?.startsWith(" ") ?? false);
    return [...(index === 0 || follows ? [] : [""]), isFixed ? text : wrap(text, { indent: 0, width })];
  });
  return `${topic.summary}.\n\n${lines.join("\n")}\n`;
}
