/**
 * `scripts/test`: runs the steps one after another and ends with `N passed, N failed, N skipped`.
 * @module
 */
import { findLeftovers, readMachineState } from "./leftovers.ts";
import { runStep } from "./run.ts";
import { type Part, planSteps } from "./steps.ts";
import { addTally, formatTally, type Tally } from "./tally.ts";

const USAGE =
  `Usage: scripts/test                everything: checks, unit tests, build, laboratory tests of dist/tproxy, other kernels
       scripts/test checks         format, lint, types, documentation of the library, house rules (scripts/layers)
       scripts/test unit           unit tests; those of ffi/ on an emulated arm64 as well
       scripts/test lab [FILTER]   laboratory tests of the source program (TPROXY_BIN=FILE: of that file), and some again
                                   with each kind of iptables (TPROXY_LAB_BACKEND=iptables-nft or iptables-legacy: all with it);
                                   FILTER: part of a test's name, or /regular expression/
       scripts/test vm [FILTER]    tests of dist/tproxy-x86_64 and dist/tproxy-aarch64 on Debian's kernels in QEMU
Exit 1 if anything failed. The last line counts tests; each check counts as one.`;

/** Runs the part named by the arguments; gives the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const [part = "all", filter] = args;
  if (part === "--help" || part === "-h") {
    say(USAGE);
    return 0;
  }
  if (!isPart(part) || args.length > (part === "lab" || part === "vm" ? 2 : 1)) {
    say(USAGE);
    return 2;
  }
  const before = await readMachineState();
  const total: Tally = { passed: 0, failed: 0, skipped: 0 };
  const failures: string[] = [];
  // Said again at the end: who sees only the end of a long run's output sees why it failed.
  const details: string[] = [];
  let triedAgain = 0;
  for (const step of planSteps(part, filter === undefined ? {} : { filter })) {
    const files = step.sideBySide === undefined
      ? ""
      : ` (${step.sideBySide.length} files, some side by side)`;
    say(`\n── ${step.title}: ${step.argv.join(" ")}${files}`);
    const start = performance.now();
    const { tally, failures: failedTests, forgiven } = await runStep(
      step.needs !== undefined && failures.includes(step.needs) ? step.otherwise! : step,
    );
    for (const { name, text } of failedTests) details.push(`── failed: ${name}\n${text}`);
    for (const { name, text } of forgiven) {
      details.push(`── passed alone, at the second try: ${name}\n(at first: ${text})`);
    }
    triedAgain += forgiven.length;
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    addTally(total, tally);
    if (tally.failed > 0) failures.push(step.title);
    say(`── ${step.title}: ${tally.failed > 0 ? "FAILED" : "ok"} in ${seconds} s (${formatTally(tally)})`);
  }
  const left = part === "checks" ? [] : await findLeftovers(before);
  if (left.length > 0) {
    say(`\n── left behind on this machine:\n${left.join("\n")}`);
    failures.push("nothing left behind");
    total.failed++;
  }
  if (details.length > 0) say(`\n${details.join("\n")}`);
  if (failures.length > 0) say(`\nFailed: ${failures.join(", ")}`);
  if (triedAgain > 0) say(`${triedAgain} passed at the second try alone`);
  say(formatTally(total));
  return total.failed > 0 ? 1 : 0;
}

function isPart(text: string): text is Part {
  return ["all", "checks", "unit", "lab", "vm"].includes(text);
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

Deno.exit(await main(Deno.args));
