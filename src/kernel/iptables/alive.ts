/**
 * How a running proxy shows the rules of iptables that it is there: it writes itself into the lists of the match
 * `recent`, over and over. One that is killed is believed alive for {@linkcode ALIVE_SECONDS} at most.
 * @module
 */
import { ALIVE_LISTS } from "../../constants.ts";
import type { Family } from "../../net/ip.ts";

/** A fifth of the time for which it counts, so that one that comes late does no harm: milliseconds. */
const INTERVAL_MS = 400;
/** The address that all addresses are under the mask of zero. */
const EVERYBODY: Readonly<Record<Family, string>> = { ipv4: "0.0.0.0", ipv6: "::" };

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
  const timer = setInterval(show, INTERVAL_MS);
  return {
    end() {
      clearInterval(timer);
      writeAll(families, "-");
    },
  };
}

/** Shows once that a proxy runs, to rules that have just been made. */
export function showLifeOnce(families: readonly Family[]): void {
  writeAll(families, "+");
}

/** The reason of a failure. A list that is not there is none: nothing that needs it is installed. */
function writeAll(families: readonly Family[], sign: "+" | "-"): string | undefined {
  for (const family of families) {
    try {
      using file = Deno.openSync(`/proc/thread-self/net/xt_recent/${ALIVE_LISTS[family]}`, { write: true });
      file.writeSync(new TextEncoder().encode(`${sign}${EVERYBODY[family]}\n`));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) return (error as Error).message;
    }
  }
  return undefined;
}
