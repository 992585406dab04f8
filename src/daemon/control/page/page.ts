/**
 * The page as one text: its parts stand as files beside this one, and go out in it. It loads nothing else.
 * @module
 */
import columns from "./columns.js" with { type: "text" };
import grid from "./grid.js" with { type: "text" };
import main from "./main.js" with { type: "text" };
import order from "./order.js" with { type: "text" };
import frame from "./page.html" with { type: "text" };
import style from "./page.css" with { type: "text" };
import summary from "./summary.js" with { type: "text" };
import traffic from "./traffic.js" with { type: "text" };
import watch from "./watch.js" with { type: "text" };
import words from "./words.js" with { type: "text" };

/** A page, and what a browser may do for it: the Content-Security-Policy. */
export interface Page {
  readonly text: string;
  readonly policy: string;
}

/** The parts of the script: each needs those before it alone. */
const SCRIPTS = [words, order, traffic, columns, watch, summary, grid, main];
/** Places of the frame; blanks around them are not part of what has a hash. */
const STYLE = /\s*\/\* style \*\/\s*/;
const SCRIPT = /\s*\/\* script \*\/\s*/;
const INDENT = /^\s+/gm;
/** Words of modules, which one script has no use for, and what is for those alone who read the files. */
const LEFT_OUT = [
  /^import [^;]*;\n/gm,
  /^export /gm,
  /^\s*\/\*[^]*?\*\/\n/gm,
  /^\s*\/\/.*\n/gm,
  INDENT,
];

/** Makes the page. */
export async function makePage(): Promise<Page> {
  const script = shorten(SCRIPTS.join("\n"));
  const styles = shorten(style).replaceAll("\n", "");
  const text = frame.replaceAll(INDENT, "").replace(STYLE, () => styles).replace(SCRIPT, () => script);
  return {
    text,
    policy: [
      "default-src 'none'",
      `script-src ${await hashOf(script)}`,
      `style-src ${await hashOf(styles)}`,
      "connect-src 'self'",
      "img-src data:",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      // No text of ours becomes HTML; a browser that knows this holds us to it.
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ].join("; "),
  };
}

function shorten(text: string): string {
  return LEFT_OUT.reduce((left, part) => left.replaceAll(part, ""), text);
}

async function hashOf(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `'sha256-${new Uint8Array(hash).toBase64()}'`;
}
