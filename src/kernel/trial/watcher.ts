/**
 * The watcher of a trial: a shell that sleeps until it is over, and then has somebody tidy up. Nothing
 * depends on it; a machine without a shell goes without.
 * @module
 */
/** The name by which the shell is known. */
const NAME = "tproxy-trial";
/** No terminal's end is its end. */
const SCRIPT = 'trap "" HUP INT; sleep "$1"; shift; exec "$@"';

/** Starts it. `command`: what tidies up. Returns its process id; undefined: there is none. */
export function startWatcher(command: readonly string[], timeoutMs: number): number | undefined {
  // Later than a proxy that runs, whose timer costs nothing.
  const seconds = Math.ceil(timeoutMs / 1000) + 1;
  try {
    const child = new Deno.Command("/bin/sh", {
      args: ["-c", SCRIPT, NAME, String(seconds), ...command],
      cwd: "/",
      detached: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    child.unref();
    return child.pid;
  } catch {
    return undefined;
  }
}

/** Ends it, with its sleep; fine where it has ended, or tidies up just now. */
export function endWatcher(pid: number): void {
  try {
    const words = Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
    if (words[3] === NAME) Deno.kill(-pid, "SIGTERM");
  } catch {
    // It has ended.
  }
}
