/**
 * Installs on trial: configs to try, and the traces of a trial.
 * @module
 */
import type { Lab } from "../lab.ts";
import { until } from "../machine/wait.ts";
import { type Program, runProgram } from "../program.ts";
import { listOurRules } from "../programs/iptables.ts";
import { usesIptables } from "../proxy/backend.ts";
import { backendPrograms, type ConfigText, tproxyCommand } from "../proxy/proxy.ts";

/** Cuts clients off from the web, and has other entries in policy routing than any other config. */
export const MISTAKE = {
  rules: [{ ports: [80], action: "block" }],
  kernel: { mark: 0x10, table: 101 },
} as const;

/** Writes a second config beside that of the proxy, and gives its path. */
export function writeOther(lab: Lab, { intercept, kernel, ...rest }: ConfigText): string {
  const text = {
    version: 1,
    intercept: { interfaces: ["r0"], ...intercept as ConfigText | undefined },
    kernel: { ...(usesIptables() ? { backend: "iptables" } : {}), ...kernel as ConfigText | undefined },
    ...rest,
  };
  return lab.writeFile("other.yaml", JSON.stringify(text));
}

/** Starts an install on trial that nobody waits for. */
export function startTrial(lab: Lab, config: string, time: string): Promise<Program> {
  const words = [...tproxyCommand(), "install", "-c", config, "--confirm", time];
  return lab.router.start(words, backendPrograms(lab));
}

/** Tells whether a new connection of the client comes about. */
export async function reaches(lab: Lab, url: string): Promise<boolean> {
  return (await lab.client.run(["curl", "-sfgm2", url], { mayFail: true })).code === 0;
}

/** Waits until new connections of the client fail. */
export function untilCutOff(lab: Lab, url: string): Promise<void> {
  return until(async () => !await reaches(lab, url), { what: "a client that is cut off", pollMs: 20 });
}

/** Waits until they come about again. */
export function untilBack(lab: Lab, url: string): Promise<void> {
  return until(() => reaches(lab, url), { what: "a client that is served again", pollMs: 50 });
}

/** Tells whether rules on trial are in the kernel, whether they have an effect or not. */
export async function hasTrialRules(lab: Lab): Promise<boolean> {
  return usesIptables()
    ? (await listOurRules(lab)).includes("TPROXY_T_")
    : (await lab.router.run(["nft", "list", "ruleset"])).stdout.includes("chain trial_");
}

/** The watchers of trials, which sleep. */
export async function findWatchers(lab: Lab): Promise<number[]> {
  return (await findProcesses(lab)).filter(isWatcher);
}

/** Waits until no process is left in the router. */
export function untilNobodyRuns(lab: Lab): Promise<void> {
  return until(async () => (await findProcesses(lab)).length === 0, {
    what: "the end of all processes",
    pollMs: 50,
  });
}

async function findProcesses(lab: Lab): Promise<number[]> {
  const { stdout } = await runProgram(["ip", "netns", "pids", lab.router.name]);
  return stdout.split("\n").filter((line) => line !== "").map(Number);
}

function isWatcher(pid: number): boolean {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0")[3] === "tproxy-trial";
  } catch {
    return false;
  }
}

/** The note about the trial of the router, whether it is there or not. */
export async function notePath(lab: Lab): Promise<string> {
  const { stdout } = await lab.router.run(["stat", "-Lc", "%i", "/proc/self/ns/net"]);
  return `/run/tproxy-trial-${stdout.trim()}.json`;
}

/** Tells whether the note is there. */
export async function hasNote(lab: Lab): Promise<boolean> {
  try {
    return Deno.statSync(await notePath(lab)).isFile;
  } catch {
    return false;
  }
}
