/**
 * The language of manual pages, man(7): texts in it, and its few macros. Pure.
 * @module
 */

/** Bytes of a line of the page's source; programs that check pages object to longer ones. */
const LINE = 79;

/** Signs that roff would take for its own, or print as others than the shell wants. */
const SIGNS: Readonly<Record<string, string>> = {
  "\\": "\\(rs",
  "-": "\\-",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
};

/** Writes a text so that it is printed as it stands. */
export function escapeText(text: string): string {
  return text.replaceAll(/[\\\-'`^~]/g, (sign) => SIGNS[sign])
    .replaceAll(/[^\x20-\x7e]/gu, (sign) => `\\[u${codeOf(sign)}]`);
}

function codeOf(sign: string): string {
  return sign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
}

/** Words in bold: what is typed as it stands. */
export function bold(text: string): string {
  return `\\fB${escapeText(text)}\\fR`;
}

/** Words in italics: what stands for something else. */
export function italic(text: string): string {
  return `\\fI${escapeText(text)}\\fR`;
}

/** A heading of the page. */
export function section(title: string): string[] {
  return [`.SH ${title}`];
}

/** A heading below that. */
export function subsection(title: string): string[] {
  return [`.SS ${escapeText(title)}`];
}

/** A paragraph. */
export function paragraph(text: string): string[] {
  return [".PP", ...fill(escapeText(text))];
}

/** An entry of a list: what is explained, in roff already, and its explanation. */
export function entry(tag: string, text: string): string[] {
  return [".TP", tag, ...fill(escapeText(text))];
}

/** Lines that stand as they are. */
export function literal(lines: readonly string[]): string[] {
  return [".PP", ".RS 4", ".EX", ...lines.map((line) => keepLine(escapeText(line))), ".EE", ".RE"];
}

/** Breaks escaped text at its blanks. */
function fill(text: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/ +/)) {
    if (line !== "" && line.length + 1 + word.length > LINE) {
      lines.push(keepLine(line));
      line = word;
    } else line += line === "" ? word : ` ${word}`;
  }
  return [...lines, keepLine(line)];
}

/** A line that begins with a point would be a macro. */
function keepLine(line: string): string {
  return line.startsWith(".") ? `\\&${line}` : line;
}
