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
  /** Command that leads into what a unit lets it see of the files; empty: it sees what this process does. */
  readonly entrance: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Variables of that process alone. */
const OWN = /^(TPROXY_PRIVILEGES|TPROXY_SELF|TPROXY_TAKES_\w+|WATCHDOG_PID)$/;
/** Those that its launcher has set for it. */
const LAUNCHERS = /^(DENO_\w+|GLIBC_TUNABLES)$/;

/** Service managers that cannot be told of another main process. */
const ONE_PROCESS = ["procd", "supervise-daemo", "runsv", "s6-supervise", "dinit"];

/** The end of the path of the program, behind which its words begin. */
const PROGRAM = /\/(tproxy\.js|run\.js|entry\.ts)$/;

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
    requireManager(pid, variables.some(([name]) => name === "NOTIFY_SOCKET"));
    const isTheirs = (name: string) => !OWN.test(name) && (file === undefined || !LAUNCHERS.test(name));
    return {
      pid,
      file,
      words: [...words, ...userWords(pid, file, words)],
      entrance: isService(pid) && !sharesMounts(pid) ? ["nsenter", "-t", String(pid), "-m"] : [],
      directory: Deno.readLinkSync(`/proc/${pid}/cwd`),
      environment: Object.fromEntries(variables.filter(([name]) => isTheirs(name))),
    };
  } catch (error) {
    if (error instanceof OperationError) throw error;
    throw refusal(pid, error instanceof Error ? error.message : String(error));
  }
}

/** Names its user where it is not the one that a launcher would choose: that of a unit, say. */
function userWords(pid: number, file: string | undefined, words: readonly string[]): string[] {
  const isChosen = words.some((word) => /^--(user|privileges)\b/.test(word));
  const uid = Number(readStatus(pid, "Uid"));
  return file === undefined || isChosen || uid === 0 ? [] : ["--user", String(uid)];
}

/** Refuses where a service manager would start another proxy beside the successor when this one ends. */
function requireManager(pid: number, notifies: boolean): void {
  const parent = Number(readStatus(pid, "PPid"));
  const manager = parent === 0 ? "" : Deno.readTextFileSync(`/proc/${parent}/comm`).trim();
  const loses = ONE_PROCESS.includes(manager) || (manager === "systemd" && isService(pid) && !notifies);
  if (!loses) return;
  throw refusal(pid, `${manager} knows it alone, and would start another one when it ends: restart instead`);
}

function isService(pid: number): boolean {
  return /\.service$/m.test(Deno.readTextFileSync(`/proc/${pid}/cgroup`));
}

function sharesMounts(pid: number): boolean {
  return Deno.readLinkSync(`/proc/${pid}/ns/mnt`) === Deno.readLinkSync("/proc/self/ns/mnt");
}

function readStatus(pid: number, name: string): string | undefined {
  const text = Deno.readTextFileSync(`/proc/${pid}/status`);
  return new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(text)?.[1];
}

function readZeros(path: string): string[] {
  return new TextDecoder().decode(Deno.readFileSync(path)).split("\0").slice(0, -1);
}

function refusal(pid: number, reason: string): OperationError {
  return new OperationError({ operation: "upgrade", object: `the proxy with pid ${pid}`, reason });
}
