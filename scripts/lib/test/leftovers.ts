/**
 * Things that tests could leave behind on the machine: namespaces, rules, routes, temporary files.
 * @module
 */
const COMMANDS = [
  ["ip", "netns", "list"],
  ["ip", "-4", "rule", "show"],
  ["ip", "-6", "rule", "show"],
  ["ip", "-4", "route", "show", "table", "all"],
  ["ip", "-6", "route", "show", "table", "all"],
  ["ip", "-br", "link"],
  ["nft", "list", "ruleset"],
];

/** The state that must be the same after the tests: one entry for each object. */
export async function readMachineState(): Promise<Set<string>> {
  const state = new Set<string>();
  for (const argv of COMMANDS) {
    for (const line of (await outputOf(argv)).split("\n")) {
      if (line !== "") state.add(`${argv.join(" ")}: ${line}`);
    }
  }
  for (const entry of Deno.readDirSync("/tmp")) {
    if (entry.name.startsWith("tproxy")) state.add(`/tmp/${entry.name}`);
  }
  return state;
}

/** Lists the things that were not there before; waits a little for namespaces that are still going away. */
export async function findLeftovers(before: ReadonlySet<string>): Promise<string[]> {
  let left: string[] = [];
  removeUsersCode(before);
  for (let attempt = 0; attempt < 10; attempt++) {
    left = [...await readMachineState()].filter((entry) => !before.has(entry) && !isOfOtherRun(entry));
    if (left.length === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return left;
}

/**
 * Removes the compiled code that the launcher keeps in /tmp for each user as whom a proxy has run, and who
 * may not write elsewhere. Those that were there before stay.
 */
function removeUsersCode(before: ReadonlySet<string>): void {
  for (const { name } of Deno.readDirSync("/tmp")) {
    const path = `/tmp/${name}`;
    if (/^tproxy-\d+$/.test(name) && !before.has(path)) Deno.removeSync(path, { recursive: true });
  }
}

/**
 * A laboratory's names hold the number of the process that made it; one that still runs is not ours, ours
 * have ended.
 */
function isOfOtherRun(entry: string): boolean {
  const pid = /tproxy-lab-(\d+)-/.exec(entry)?.[1];
  return pid !== undefined && isRunning(pid);
}

function isRunning(pid: string): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

async function outputOf(argv: readonly string[]): Promise<string> {
  try {
    const { stdout } = await new Deno.Command(argv[0], { args: argv.slice(1), stderr: "null" }).output();
    return new TextDecoder().decode(stdout);
  } catch (error) {
    // Not installed: then no test can have used it.
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
