/**
 * Lines of the access log about flows that failed: what the proxy itself says.
 * @module
 */
import type { Lab } from "../../../tests/laboratory/lab.ts";
import type { Failure } from "./windows.ts";

/** A line comes when the proxy has seen the end, of UDP after a silence. */
const LATER_MS = 15_000;

/** Finds the lines of flows from the clients' ports that ended at about the same time. */
export function findAccessLines(lab: Lab, failures: readonly Failure[]): string[] {
  const clients = failures.filter(({ what }) => !what.startsWith("server"));
  if (clients.length === 0) return [];
  const lines = [...Deno.readDirSync(lab.directory)].filter(({ name }) => name.startsWith("access.log"))
    .flatMap(({ name }) => Deno.readTextFileSync(`${lab.directory}/${name}`).split("\n"));
  return clients.flatMap(({ peer, begin, end }) =>
    lines.filter((line) => {
      const time = Date.parse(line.split(" ")[0]);
      return line.includes(`:${peer} `) && time >= begin && time <= end + LATER_MS;
    })
  );
}
