/**
 * Sign of a running proxy to the rules of iptables: it writes itself into the lists of the match `recent`,
 * over and over. When it is killed, a shell that waits for its end takes it off them.
 * @module
 */
import { ALIVE_INTERVAL_MS, ALIVE_LISTS, EVERYBODY } from "../../constants.ts";
import type { Family } from "../../net/ip.ts";
import type { Life } from "./life.ts";

const DIRECTORY = "/proc/thread-self/net/xt_recent";

/** A proxy that shows itself in lists. */
export class RecentLife implements Life {
  readonly #families: readonly Family[];
  readonly #onFailure: (reason: string) => void;
  #failed = false;
  #ended = false;
  #timer: ReturnType<typeof setInterval> | undefined;
  #witness: Witness | undefined;

  /** `onFailure` is told once, with the reason, if the lists cannot be written over and over. */
  constructor(families: readonly Family[], onFailure: (reason: string) => void = () => {}) {
    this.#families = families;
    this.#onFailure = onFailure;
  }

  /** See {@linkcode Life}. */
  begin(): void {
    this.#show();
    this.#timer = setInterval(() => this.#show(), ALIVE_INTERVAL_MS);
    this.#witness = startWitness(this.#families);
  }

  /** See {@linkcode Life}. */
  once(): void {
    if (!this.#ended) writeAll(this.#families, "+");
  }

  /** See {@linkcode Life}. The witness would withdraw the sign anyway: nobody hands such a proxy over. */
  leave(): void {
    this.end();
  }

  /** See {@linkcode Life}. */
  end(): void {
    this.#ended = true;
    clearInterval(this.#timer);
    writeAll(this.#families, "-");
    this.#witness?.end();
  }

  #show(): void {
    const reason = writeAll(this.#families, "+");
    if (reason !== undefined && !this.#failed) this.#onFailure(reason);
    this.#failed ||= reason !== undefined;
  }
}

interface Witness {
  end(): void;
}

/**
 * A shell that reads a pipe from this process: its end is the end of this process, however that comes. A
 * signal to all processes of a terminal must not end it first. Undefined without a shell: then the lists tell
 * after their time.
 */
function startWitness(families: readonly Family[]): Witness | undefined {
  const withdraw = families.map((family) =>
    `echo "-${EVERYBODY[family]}" > /proc/self/net/xt_recent/${ALIVE_LISTS[family]}`
  );
  const script = `trap '' HUP INT TERM; while read -r line; do :; done; ${withdraw.join("; ")}`;
  try {
    const child = new Deno.Command("/bin/sh", {
      args: ["-c", script],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    child.unref();
    return { end: () => void child.stdin.close().catch(() => {}) };
  } catch {
    return undefined;
  }
}

/** The reason of a failure. A list that is not there is none: nothing that needs it is installed. */
function writeAll(families: readonly Family[], sign: "+" | "-"): string | undefined {
  for (const family of families) {
    try {
      using file = Deno.openSync(`${DIRECTORY}/${ALIVE_LISTS[family]}`, { write: true });
      file.writeSync(new TextEncoder().encode(`${sign}${EVERYBODY[family]}\n`));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) return (error as Error).message;
    }
  }
  return undefined;
}
