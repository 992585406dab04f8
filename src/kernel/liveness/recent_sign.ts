/**
 * How a running proxy shows the rules of iptables that it is there: it writes itself into the lists of the match
 * `recent`, over and over. When it is killed, a shell that waits for its end takes it off them.
 * @module
 */
import { ALIVE_INTERVAL_MS, ALIVE_LISTS } from "../../constants.ts";
import type { Family } from "../../net/ip.ts";

/** The address that all addresses are under the mask of zero. */
const EVERYBODY: Readonly<Record<Family, string>> = { ipv4: "0.0.0.0", ipv6: "::" };
const DIRECTORY = "/proc/thread-self/net/xt_recent";

/** A proxy that shows itself. */
export interface SignOfLife {
  /** From now on new flows are treated as without a proxy, at once. */
  end(): void;
}

/** Begins to show that a proxy runs. `onFailure` is told once, with the reason, if the lists cannot be written. */
export function showLife(families: readonly Family[], onFailure: (reason: string) => void): SignOfLife {
  let failed = false;
  const show = () => {
    const reason = writeAll(families, "+");
    if (reason !== undefined && !failed) onFailure(reason);
    failed ||= reason !== undefined;
  };
  show();
  const timer = setInterval(show, ALIVE_INTERVAL_MS);
  const witness = startWitness(families);
  return {
    end() {
      clearInterval(timer);
      writeAll(families, "-");
      witness?.end();
    },
  };
}

/** Shows once that a proxy runs, to rules that have just been made. */
export function showLifeOnce(families: readonly Family[]): void {
  writeAll(families, "+");
}

/**
 * A shell that reads a pipe from this process: its end is the end of this process, however that comes. A signal to all
 * processes of a terminal must not end it first. Undefined without a shell: then the lists tell after their time.
 */
function startWitness(families: readonly Family[]): SignOfLife | undefined {
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
