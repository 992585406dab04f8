/**
 * `scripts/soak`: its command line, its laboratory, its verdict.
 * @module
 */
import { parseArgs } from "node:util";
import { openLab } from "../../../tests/laboratory/lab.ts";
import { print } from "../../../tests/laboratory/machine/print.ts";
import { findLeftovers, readMachineState } from "../test/leftovers.ts";
import { prepareLoad } from "./load.ts";
import { OVERHEAD_SECONDS, Soak } from "./soak.ts";
import { type Finding, formatVerdict, isHeld, none } from "./verdict.ts";

const USAGE = "Usage: scripts/soak MINUTES [--source]";

/** Runs the soak; gives the exit code. */
async function main(args: string[]): Promise<number> {
  const asked = readWords(args);
  if (asked === "help" || asked === undefined) {
    print(USAGE);
    return asked === "help" ? 0 : 2;
  }
  const { minutes, source } = asked;
  if (source) Deno.env.delete("TPROXY_BIN");
  const before = await readMachineState();
  await prepareLoad();
  const lab = await openLab({ forwarding: true, masquerade: true });
  let findings: Finding[] = [];
  try {
    findings = await Soak.run(lab, Math.max(minutes * 60 - OVERHEAD_SECONDS, OVERHEAD_SECONDS));
  } catch (error) {
    findings = [none("no answer of the proxy that it should not have given", [(error as Error).message])];
  } finally {
    const left = await lab.close().then(() => [], (error: Error) => [error.message]);
    findings.push(
      none("namespaces, rules, processes, files left", [...left, ...await findLeftovers(before)]),
    );
  }
  Deno.stdout.writeSync(new TextEncoder().encode(formatVerdict(findings)));
  return isHeld(findings) ? 0 : 1;
}

/** Reads the command line; undefined: it is none. */
function readWords(
  args: string[],
): { readonly minutes: number; readonly source: boolean } | "help" | undefined {
  const options = {
    source: { type: "boolean", default: false },
    help: { type: "boolean", short: "h" },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    if (values.help) return "help";
    const minutes = Number(positionals[0]);
    return positionals.length === 1 && minutes > 0 ? { minutes, source: values.source } : undefined;
  } catch {
    return undefined;
  }
}

Deno.exit(await main(Deno.args));
