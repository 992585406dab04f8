/**
 * A terminal as a screen: all of it is ours until the end, and as it was afterwards.
 * @module
 */
import { writeStdout } from "../stdio/output.ts";
import type { Size } from "./draw.ts";
import { readKeys } from "./keys.ts";

// xterm's control sequences: the other screen, the cursor, no wrapping at the right edge.
const BEGIN = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const END = "\x1b[?7h\x1b[?25h\x1b[?1049l";
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

/** Signals that end the program; the terminal outlives it. */
const ENDINGS = ["SIGTERM", "SIGHUP", "SIGINT"] as const;

/** Tells whether there are keys and a screen whose cursor can be moved. */
export function hasTerminal(): boolean {
  return Deno.stdin.isTerminal() && Deno.stdout.isTerminal() && Deno.env.get("TERM") !== "dumb";
}

/** A screen. */
export class Terminal {
  #shown: readonly string[] = [];
  readonly #onKey: (key: string) => void;
  readonly #onSize: () => void;
  readonly #onEnding = () => this.#onKey("ctrl-c");
  #ended = false;

  /** Takes the terminal. `onKey`: a key, as keys.ts names it; `onSize`: it has another size now. */
  constructor({ onKey, onSize }: { onKey: (key: string) => void; onSize: () => void }) {
    this.#onKey = onKey;
    this.#onSize = () => {
      this.clear();
      onSize();
    };
    Deno.stdin.setRaw(true);
    writeStdout(BEGIN);
    Deno.addSignalListener("SIGWINCH", this.#onSize);
    for (const signal of ENDINGS) Deno.addSignalListener(signal, this.#onEnding);
    this.#read();
  }

  /** Its size in characters. */
  get size(): Size {
    const { columns, rows } = Deno.consoleSize();
    return { columns, rows };
  }

  /** Shows lines from the top; those that have not changed are not sent again. */
  show(lines: readonly string[]): void {
    const changed = lines.flatMap((line, i) =>
      line === this.#shown[i] ? [] : [`\x1b[${i + 1};1H${CLEAR_LINE}${line}`]
    );
    const rest = lines.length < this.#shown.length ? `\x1b[${lines.length + 1};1H${CLEAR_BELOW}` : "";
    this.#shown = lines;
    if (changed.length > 0 || rest !== "") writeStdout(changed.join("") + rest);
  }

  /** Has everything sent anew, after others have written on it. */
  clear(): void {
    this.#shown = [];
    writeStdout("\x1b[2J");
  }

  /** Gives the terminal back. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    Deno.removeSignalListener("SIGWINCH", this.#onSize);
    for (const signal of ENDINGS) Deno.removeSignalListener(signal, this.#onEnding);
    writeStdout(END);
    Deno.stdin.setRaw(false);
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(256);
    const decoder = new TextDecoder();
    while (!this.#ended) {
      const length = await Deno.stdin.read(buffer).catch(() => null);
      // The terminal has gone: nobody looks any more.
      if (length === null) return this.#onKey("ctrl-c");
      for (const key of readKeys(decoder.decode(buffer.subarray(0, length), { stream: true }))) {
        this.#onKey(key);
      }
    }
  }
}
