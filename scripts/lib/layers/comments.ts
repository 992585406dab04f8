/**
 * Style of comments: how a doc comment begins, and how wide any comment may be. Pure.
 * @module
 */
import type { Breach } from "./breach.ts";
import { docComments } from "./text.ts";

/** A file and its text. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** Columns of a line, as deno.json has them for code. */
const COLUMNS = 110;

/**
 * Words that begin a clause, or stand for a noun that the reader has not met: no verb, and no noun of the
 * field.
 */
const CLAUSE_WORDS = [
  ...[
    "What",
    "Whatever",
    "Whether",
    "Who",
    "Whoever",
    "Whom",
    "Whose",
    "Which",
    "Where",
    "How",
    "When",
    "Why",
  ],
  ...["That", "It", "They", "There", "If", "As", "Since", "Because", "While", "Until", "Unless", "Although"],
  ...["Though", "Once", "So", "And", "But", "Or", "You", "We"],
];
const CLAUSE = new RegExp(`^(?:${CLAUSE_WORDS.join("|")})\\b`);
/** A later sentence that has a clause for its subject. */
const CLAUSE_SUBJECT = /\.\s+(What|Whatever|Whether|Who|Whoever)\b/;

/**
 * Finds doc comments that begin neither with a verb nor with a noun, and sentences whose subject is a clause.
 */
export function findClauses(files: readonly TextFile[]): Breach[] {
  return files.filter(({ path }) => path.endsWith(".ts")).flatMap(({ path, text }) =>
    docComments(text).flatMap((comment) => {
      const first = CLAUSE.exec(comment.text)?.[0];
      if (first !== undefined) {
        const advice = "begin with a verb (functions) or a noun (types)";
        return [{ path, line: comment.line, text: `a doc comment begins with "${first}"; ${advice}` }];
      }
      const later = CLAUSE_SUBJECT.exec(comment.text)?.[1];
      return later === undefined
        ? []
        : [{ path, line: comment.line, text: `a sentence begins with "${later}"; name who acts` }];
    })
  );
}

/** Finds comments that reach beyond the last column. A line of one long word, such as a link, may. */
export function findWideComments(files: readonly TextFile[]): Breach[] {
  return files.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, i) =>
      [...line].length > COLUMNS && hasComment(path, line) && /\S\s+\S.*\s\S/.test(line.trim())
        ? [{ path, line: i + 1, text: `a comment is wider than ${COLUMNS} columns` }]
        : []
    )
  );
}

/** Tells whether a line is a comment or ends in one. */
function hasComment(path: string, line: string): boolean {
  if (!/\.[a-z]+$/.test(path) || path.endsWith(".sh")) return /^\s*#/.test(line);
  if (/^\s*(?:\/\/|\/?\*)/.test(line)) return true;
  return /\S\s+\/[/*] /.test(line.replace(/"(?:[^"\\]|\\.)*"|`[^`]*`/g, '""'));
}
