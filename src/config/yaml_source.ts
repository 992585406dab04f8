/**
 * A YAML text as plain values, and where in the text each of them stands. The only file that imports `yaml`.
 * @module
 */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
} from "yaml";
import { ConfigError, type ConfigProblem } from "./error.ts";

/** Keys and indexes that lead from the top to a value. */
export type ConfigPath = readonly (string | number)[];

/** `rules[0].ports[1]`. */
export function formatPath(path: ConfigPath): string {
  return path.map((step, index) => typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`)
    .join("");
}

/** A place in the text, counted from 1. */
export interface Position {
  /** Line, from 1. */
  readonly line: number;
  /** Column, from 1. */
  readonly column: number;
}

/** Bound of a config's size: a list of 100,000 domains fits. */
const MAX_CHARACTERS = 4 << 20;
/** The most aliases that may be followed; more is an attempt to fill the memory. */
const MAX_ALIASES = 100;
/** Bound of the depth of nested lists and keys; the config itself needs 4. */
const MAX_DEPTH = 64;
/** Errors of syntax that are said: one breeds others. */
const MAX_SYNTAX_ERRORS = 20;
const TOO_DEEP = "lists and keys are nested too deeply";

/** A node, and those that it stands in. */
interface Nested {
  readonly node: unknown;
  readonly depth: number;
  readonly within?: Nested;
}

/** A text that was parsed as YAML. */
export class YamlSource {
  readonly file: string;
  /** Plain objects, arrays and scalars; `undefined` if the text is empty. */
  readonly value: unknown;
  /** Errors which do not prevent further checks: keys that stand there twice. */
  readonly problems: readonly ConfigProblem[];
  readonly #text: string;
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;

  /** Throws a ConfigError with all errors of syntax. */
  constructor(text: string, file: string) {
    this.file = file;
    this.#text = text;
    refuseUnreadable(text, file);
    this.#lines = new LineCounter();
    // The columns are counted in the text as it is; a byte order mark is not a column.
    try {
      this.#document = parseDocument(text, {
        lineCounter: this.#lines,
        prettyErrors: false,
        // "silent" would hide a second document.
        logLevel: "error",
      });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new ConfigError(file, [{ line: 0, column: 0, text: TOO_DEEP }]);
    }
    const errors = [...this.#document.errors, ...this.#document.warnings];
    const problems = errors.map((error) => ({
      ...this.#position(error.pos[0]),
      text: wordSyntaxError(error),
    }));
    if (errors.some((error) => error.code !== "DUPLICATE_KEY")) {
      // The parser gives up at the stack's end, wherever that is, and finds more on its way back.
      const tooDeep = problems.find(({ text }) => text === TOO_DEEP);
      throw new ConfigError(file, tooDeep === undefined ? firstOfEachPlace(problems) : [tooDeep]);
    }
    this.problems = problems;
    this.#refuseUnfit();
    this.value = this.#plain();
  }

  /**
   * Finds the place of a value, or with `key` of the key itself. For a value that is not there: of its
   * container.
   */
  locate(path: ConfigPath, options: { readonly key?: boolean } = {}): Position {
    const { node, key } = this.#find(path);
    const range = (options.key ? key ?? node : node ?? key)?.range;
    return this.#position(range?.[0] ?? 0);
  }

  /** A value as it was written, in one line and shortened; the empty string if it is not there. */
  excerpt(path: ConfigPath): string {
    const { node, found } = this.#find(path);
    if (!found || !node?.range) return "";
    const text = this.#text.slice(node.range[0], node.range[1]).replaceAll(/\s+/g, " ").trim();
    return text.length > 40 ? `${text.slice(0, 39)}…` : text;
  }

  #position(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    const column = line === 1 && this.#text.startsWith("\ufeff") ? Math.max(1, col - 1) : col;
    return { line: Math.max(1, line), column: Math.max(1, column) };
  }

  #find(path: ConfigPath): { node?: Node | null; key?: Node; found: boolean } {
    let node: Node | null = this.#document.contents;
    let key: Node | undefined;
    for (const step of path) {
      const target: Node | null = isAlias(node) ? node.resolve(this.#document) ?? null : node;
      let next: unknown;
      if (isMap(target)) {
        const pair = target.items.find((item) =>
          isScalar(item.key) && String(item.key.value) === String(step)
        );
        if (pair === undefined) return { node, ...(key ? { key } : {}), found: false };
        key = pair.key as Node;
        next = pair.value;
      } else if (isSeq(target)) {
        next = target.items[Number(step)];
        key = undefined;
      } else return { node, ...(key ? { key } : {}), found: false };
      node = (next ?? null) as Node | null;
    }
    return { node, ...(key ? { key } : {}), found: true };
  }

  #plain(): unknown {
    try {
      return this.#document.contents === null
        ? undefined
        : this.#document.toJS({ maxAliasCount: MAX_ALIASES });
    } catch (error) {
      if (error instanceof RangeError) throw this.#error(TOO_DEEP);
      if (error instanceof ReferenceError) {
        throw this.#error(`more than ${MAX_ALIASES} values come from aliases (*name)`);
      }
      throw error;
    }
  }

  /** Refuses what would not survive the way to plain values. */
  #refuseUnfit(): void {
    const open: Nested[] = [{ node: this.#document.contents, depth: 1 }];
    for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
      const { node, depth } = entry;
      if (isAlias(node)) this.#refuseUnfitAlias(node, entry);
      if (!isMap(node) && !isSeq(node)) continue;
      if (depth > MAX_DEPTH) throw this.#errorAt(node, TOO_DEEP);
      for (const item of node.items) {
        open.push({ node: isPair(item) ? item.value : item, depth: depth + 1, within: entry });
        // A key may be a mapping as well, which is written out for each that it stands in.
        if (isPair(item)) open.push({ node: item.key, depth: depth + 1, within: entry });
      }
    }
  }

  #refuseUnfitAlias(alias: Alias, { within }: Nested): void {
    const target = alias.resolve(this.#document);
    if (target === undefined) {
      throw this.#errorAt(alias, `no value before this has the name &${alias.source}`);
    }
    for (let outer = within; outer !== undefined; outer = outer.within) {
      if (outer.node === target) throw this.#errorAt(alias, `the value &${alias.source} contains itself`);
    }
  }

  #errorAt({ range }: Node, text: string): ConfigError {
    return new ConfigError(this.file, [{ ...this.#position(range?.[0] ?? 0), text }]);
  }

  #error(text: string): ConfigError {
    return new ConfigError(this.file, [{ line: 0, column: 0, text }]);
  }
}

function refuseUnreadable(text: string, file: string): void {
  if (text.length > MAX_CHARACTERS) {
    const size = `${(text.length / (1 << 20)).toFixed(1)} MiB`;
    throw new ConfigError(file, [{
      line: 0,
      column: 0,
      text: `${size} is too large for a config, ${MAX_CHARACTERS >> 20} MiB are allowed`,
    }]);
  }
  // Bytes that are no UTF-8 arrive as the replacement character.
  const match = /(?![\t\n\r\u0085])[\p{Cc}\ufffd]/u.exec(text);
  if (match === null) return;
  const before = text.slice(0, match.index).split("\n");
  const place = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  throw new ConfigError(file, [{ ...place, text: "this is not a text in UTF-8: is it a config at all?" }]);
}

/** YAML's own words where they are clear, ours where they are not. */
function wordSyntaxError(error: { readonly code: string; readonly message: string }): string {
  switch (error.code) {
    case "DUPLICATE_KEY":
      return "this key stands there twice";
    case "TAB_AS_INDENT":
      return "a tab cannot indent YAML, use spaces";
    case "MULTIPLE_DOCS":
      return "a second document begins here (---), a config is one";
    case "TAG_RESOLVE_FAILED":
      return `${
        error.message.replace(/^Unresolved tag: /, "unknown tag ")
      }: quote values that begin with "!"`;
    default:
      // The parser recurses; it words the overflow as an error of syntax.
      if (error.message.includes("call stack")) return TOO_DEEP;
      return `bad YAML: ${error.message}`;
  }
}

function firstOfEachPlace(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  const places = new Map<string, ConfigProblem>();
  for (const problem of problems) {
    const place = `${problem.line}:${problem.column}`;
    if (!places.has(place)) places.set(place, problem);
  }
  return [...places.values()].slice(0, MAX_SYNTAX_ERRORS);
}
