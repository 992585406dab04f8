/**
 * The proxy that runs, as whoever starts its successor sees it: with which words and in which surroundings it
 * was started.
 * @module
 */
import { OperationError } from "../../net/error.ts";

/** See the module. */
export interface FormerProxy {
  readonly pid: number;
  /** The file that it was started from; undefined: from source. */
  readonly file: string | undefined;
  /** The words behind the program: `run -c …`. */
  readonly words: readonly string[];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Variables of that process alone. */
const OWN = /^(TPROXY_PRIVILEGES|TPROXY_SELF|TPROXY_TAKES_\w+|WATCHDOG_PID)$/;
/** Those that its launcher has set for it. */
const LAUNCHERS = /^DENO_/;

/** The end of the path of the program, behind which its words begin. */
const PROGRAM = /\/(tproxy\.js|entry\.ts)$/;

/** Reads it from /proc. Throws an OperationError. */
export function readFormer(pid: number): FormerProxy {
  try {
    const line = readZeros(`/proc/${pid}/cmdline`);
    const variables = readZeros(`/proc/${pid}/environ`).map((text): [string, string] => {
      const at = text.indexOf("=");
      return [text.slice(0, at), text.slice(at + 1)];
    });
    if (Deno.readLinkSync(`/proc/${pid}/ns/net`) !== Deno.readLinkSync("/proc/self/ns/net")) {
      throw refusal(pid, "it is in another network namespace: run this there");
    }
    const words = line.slice(line.findIndex((word) => PROGRAM.test(word)) + 1);
    if (words[0] !== "run") throw refusal(pid, "how it was started cannot be told");
    const file = Object.fromEntries(variables).TPROXY_SELF;
    const isTheirs = (name: string) => !OWN.test(name) && (file === undefined || !LAUNCHERS.test(name));
    return {
      pid,
      file,
      words,
      directory: Deno.readLinkSync(`/proc/${pid}/cwd`),
      environment: Object.fromEntries(variables.filter(([name]) => isTheirs(name))),
    };
  } catch (error) {
    if (error instanceof OperationError) throw error;
    throw refusal(pid, error instanceof Error ? error.message : String(error));
  }
}

function readZeros(path: string): string[] {
  return new TextDecoder().decode(Deno.readFileSync(path)).split("\0").slice(0, -1);
}

function refusal(pid: number, reason: string): OperationError {
  return new OperationError({ operation: "upgrade", object: `the proxy with pid ${pid}`, reason });
}
