/**
 * A laboratory with a contestant at work in it, which is shown to be in the path.
 * @module
 */
import { type Lab, openLab } from "../../../tests/laboratory/lab.ts";
import { print } from "../../../tests/laboratory/machine/print.ts";
import type { Contestant, Workers } from "./suite.ts";

/** Work in the laboratory. */
export interface LabWork<T> {
  /** Starts what the ends need. */
  prepare(lab: Lab): Promise<void>;
  /** Tells whether the client gets an answer of the server. */
  reaches(lab: Lab): Promise<boolean>;
  /** `pid`: the proxy, if there is one. */
  work(lab: Lab, pid: number | undefined): Promise<T>;
}

/** Starts the contestant in a laboratory of its own and does the work. */
export async function withContestant<T>(
  contestant: Contestant,
  workers: Workers,
  task: LabWork<T>,
): Promise<T> {
  const lab = await openLab(contestant.lab);
  try {
    await task.prepare(lab);
    if (contestant.lab.forwarding !== true && await task.reaches(lab)) {
      throw new Error("The router forwards without a proxy: nothing would be proved");
    }
    const pid = await contestant.start(lab, workers);
    if (!await task.reaches(lab)) throw new Error(`${contestant.name}: the client does not reach the server`);
    return await task.work(lab, pid);
  } catch (error) {
    for (const program of lab.programs) print(`${program}: ${program.output.slice(-500)}`);
    throw error;
  } finally {
    await lab.close();
  }
}
