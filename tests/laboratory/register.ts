/**
 * `labTest`: a Deno test that gets a laboratory, or is ignored with a printed reason where it cannot run.
 * @module
 */
import { labBackend, usesIptables } from "./proxy/backend.ts";
import { obstacleOf } from "./programs/iptables.ts";
import { type Lab, type LabOptions, openLab } from "./lab.ts";
import { checkLeaks } from "./machine/leaks.ts";
import { print } from "./machine/print.ts";

/** Needs of a test. */
export interface LabTestOptions extends LabOptions {
  /** Programs beyond ip, nft and sysctl. */
  readonly programs?: readonly string[];
  /** Reason why it cannot run here, if any. */
  readonly obstacle?: string;
  /** Reason why it cannot be run with the backend iptables, if any. */
  readonly netlinkOnly?: string;
}

/** Registers a test that runs in a laboratory of its own; after a failure it prints what happened there. */
export function labTest(name: string, options: LabTestOptions, test: (lab: Lab) => Promise<void>): void {
  const obstacle = options.obstacle ?? backendObstacle(options) ??
    findObstacle(["ip", "nft", "sysctl", "setsid", ...options.programs ?? []]);
  if (obstacle !== undefined) print(`skipped: ${name}: ${obstacle}`);
  Deno.test({
    name,
    ignore: obstacle !== undefined,
    fn: () => checkLeaks(() => runInLab(options, test)),
  });
}

async function runInLab(options: LabOptions, test: (lab: Lab) => Promise<void>): Promise<void> {
  const lab = await openLab(options);
  try {
    await test(lab);
  } catch (error) {
    report(lab);
    await lab.close().catch((second) => print(String(second)));
    throw error;
  }
  await lab.close();
}

/** Returns the reason why the test cannot run with the backend that is asked for, if any. */
function backendObstacle({ netlinkOnly }: LabTestOptions): string | undefined {
  if (!usesIptables()) return undefined;
  return netlinkOnly ?? findObstacle(["iptables"]) ?? obstacleOf(labBackend().variant ?? "").obstacle;
}

/** Returns the reason why laboratory tests cannot run here, if any. */
function findObstacle(programs: readonly string[]): string | undefined {
  if (Deno.uid() !== 0) return "needs root (network namespaces)";
  const missing = programs.filter((program) => !isInstalled(program));
  return missing.length === 0 ? undefined : `needs ${missing.join(", ")} (scripts/test installs it)`;
}

function isInstalled(program: string): boolean {
  const path = `${Deno.env.get("PATH") ?? ""}:/usr/sbin:/sbin`;
  return path.split(":").some((directory) => {
    try {
      return Deno.statSync(`${directory}/${program}`).isFile;
    } catch {
      return false;
    }
  });
}

function report(lab: Lab): void {
  print(`--- what happened in the laboratory\n${lab.transcript.join("\n")}`);
  for (const program of lab.programs) {
    const tail = program.output.slice(-4_000);
    print(`--- ${program} ${program.running ? "runs" : "has ended"}, wrote:\n${tail}`);
  }
}
