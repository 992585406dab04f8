/**
 * Doctor's findings as text and as JSON.
 * @module
 */
import { paint } from "../colors.ts";
import { describeErrno, type Finding } from "../../doctor/finding.ts";

/** All of it, as `--json` prints it: stable, keys are only ever added. */
export interface DoctorReport {
  /** Of this format. */
  readonly version: 1;
  /** Of this program. */
  readonly program: string;
  /** uname -r. */
  readonly kernel: string;
  /** Origin of the config. */
  readonly config: string;
  /** Place of the trial: a namespace of its own, or the router's own objects. */
  readonly tried: "namespace" | "router";
  /** Nothing blocks: the exit code in words. */
  readonly ready: boolean;
  readonly findings: readonly Finding[];
}

const STATE_WIDTH = "not permitted".length;
const INDENT = " ".repeat(STATE_WIDTH + 4);

/** One row, and what there is to say of it. A finding that blocks is marked. */
export function formatFinding(
  { state, blocks, what, cause, remedy, also = [] }: Finding,
  color = false,
): string {
  const mark = blocks ? "!" : " ";
  const word = state === "warning" && blocks ? "blocks" : state;
  const shade = blocks ? "red" : state === "works" ? "green" : "yellow";
  const row = `${paint(`${mark} ${word.padEnd(STATE_WIDTH)}`, shade, color)}  ${what}`;
  if (state === "works" || state === "not permitted") return `${row}${cause === "" ? "" : `  (${cause})`}\n`;
  const others = also.length === 0 ? "" : `For the same reason, these do not work either: ${also.join(", ")}`;
  const lines = [cause, remedy, others].filter((text) => text !== "").map((text) => `${INDENT}${text}\n`);
  return `${row}\n${lines.join("")}`;
}

/**
 * Writes the lines below the rows. `refusal`: the reason why there was no namespace of its own, 0 where there
 * was one.
 */
export function formatSummary({ findings }: DoctorReport, refusal: number, color = false): string {
  const where = refusal === 0
    ? "The kernel was tried in a network namespace of its own, nothing of this router was touched."
    : `The kernel was tried in this router's own namespace (another one: ${
      describeErrno(refusal)
    }), in objects that ` +
      "take no effect and are gone again.";
  const blocking = findings.filter(({ blocks }) => blocks).length;
  const warnings = findings.filter(({ state, blocks }) => state === "warning" && !blocks).length;
  const also = warnings === 0 ? "" : `; ${count(warnings, "warning")}`;
  const ready = blocking === 0
    ? `yes, all that this config needs works${also}`
    : `no, ${count(blocking, "finding")} marked ! in the way${also}`;
  // The same for each of them, so it is said once.
  const denied = findings.find(({ state }) => state === "not permitted");
  return `\n${where}\n${denied === undefined ? "" : `${denied.remedy}\n`}ready: ${
    paint(ready, blocking === 0 ? "green" : "red", color)
  }\n`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
