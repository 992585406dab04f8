/**
 * `tproxy doctor` in a laboratory, and whether packets pass.
 * @module
 */
import type { DoctorReport } from "../../../src/cli/doctor/report.ts";
import type { Finding } from "../../../src/doctor/finding.ts";
import type { Lab } from "../lab.ts";
import { backendPrograms, type ConfigText, tproxyCommand, writeConfig } from "./proxy.ts";
import { socatServer } from "../network/sockets.ts";

/** Doctor's report. */
export interface Diagnosis extends DoctorReport {
  readonly code: number;
  /** Findings that do not work: `state id`, with `!` before one that blocks. */
  readonly troubles: readonly string[];
}

/** Options of a run. */
export interface DoctorOptions {
  readonly config?: ConfigText;
  /** Words before the program's. */
  readonly wrapper?: readonly string[];
}

/** `tproxy doctor --json` in the router. */
export async function doctor(lab: Lab, options: DoctorOptions = {}): Promise<Diagnosis> {
  const path = writeConfig(lab, options.config);
  const argv = [...options.wrapper ?? [], ...tproxyCommand(), "doctor", "--json", "-c", path];
  const { stdout, code } = await lab.router.run(argv, { mayFail: true, ...backendPrograms(lab) });
  const report = JSON.parse(stdout) as DoctorReport;
  // The laboratory's router has no default route, and needs none.
  const troubles = report.findings.filter(({ state, id }) => state !== "works" && id !== "ways-out")
    .map(({ state, id, blocks }) => `${blocks ? "! " : ""}${state} ${id}`);
  return { ...report, code, troubles };
}

/** The first finding of that id that says that something is wrong. */
export function findTrouble({ findings }: Diagnosis, id: string): Finding {
  return findings.find((finding) => finding.id === id && finding.state !== "works")!;
}

/** Tells by family whether the client gets its words back through the proxy. */
export async function echoes(lab: Lab): Promise<boolean[]> {
  return await Promise.all(([4, 6] as const).map(async (family) => {
    const client = ["socat", "-T2", "-", `${socatServer(family, 7000)},connect-timeout=1`];
    const { stdout } = await lab.client.run(client, { input: "hi", mayFail: true });
    return stdout === "hi";
  }));
}
