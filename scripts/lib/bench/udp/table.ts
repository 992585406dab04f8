/**
 * The Markdown table of the UDP benchmark, a row for each measure, and the verdict on its targets.
 * @module
 */
import { compare, formatNumber, formatRow, formatRule, summarize } from "../statistics.ts";
import { EARLY, type Results, type Sample, type Verdict } from "../suite.ts";
import { makeVerdict } from "../verdicts.ts";
import { MANY, STEADY_RATE, STEADY_STREAMS, STREAMS } from "./streams.ts";

/** A row. */
interface Row {
  readonly title: string;
  readonly measure: string;
  readonly digits: number;
  /** Another measure that the cell names behind this one. */
  readonly of?: string;
}

const DIRECTIONS = { up: "to server", down: "to client" };
/** The one that tproxy is compared with. */
const BASE = "v2ray";
const RATE = STEADY_RATE.toLocaleString("en-US");

const ROWS: readonly Row[] = [
  ...(Object.keys(STREAMS) as (keyof typeof STREAMS)[]).map((name): Row => ({
    title: `saturated ${describeStream(name)}: delivered/s of offered/s`,
    measure: `saturated.${name}.delivered`,
    of: `saturated.${name}.offered`,
    digits: 0,
  })),
  ...STEADY_STREAMS.map((name): Row => ({
    title: `${RATE}/s ${describeStream(name)}: lost, %`,
    measure: `steady.${name}.loss`,
    digits: 2,
  })),
  { title: "late or twice, of a million, saturated", measure: "saturated.disordered", digits: 0 },
  { title: "one exchange at a time: median, µs", measure: "latency.median", digits: 0 },
  { title: "one exchange at a time: p99, µs", measure: "latency.p99", digits: 0 },
  { title: `${MANY} at once: exchanges/s`, measure: "latency.many.exchanges", digits: 0 },
  { title: `${MANY} at once: median, µs`, measure: "latency.many.median", digits: 0 },
  { title: `${MANY} at once: p99, µs`, measure: "latency.many.p99", digits: 0 },
  { title: "a session begins: first exchange, median, µs", measure: "opening.median", digits: 0 },
  { title: "a session begins: first exchange, p99, µs", measure: "opening.p99", digits: 0 },
  { title: `new sessions/s, ${MANY} at once`, measure: "opening.many.rate", digits: 0 },
  { title: `new sessions, ${MANY} at once: CPU µs for each`, measure: "opening.many.processor", digits: 0 },
  { title: "new sessions without an answer, %", measure: "opening.many.unanswered", digits: 1 },
  { title: "memory for each session, bytes", measure: "sessions.bytes", digits: 0 },
  { title: "sessions without an answer, %", measure: "sessions.unanswered", digits: 1 },
  { title: "descriptors for each session", measure: "sessions.descriptors", digits: 1 },
  { title: `CPU s for a million datagrams, ${RATE}/s`, measure: "steady.processor", digits: 2 },
  { title: "CPU s for a million datagrams, saturated", measure: "saturated.processor", digits: 2 },
  { title: "processors in use, saturated", measure: "saturated.processors", digits: 2 },
];

/** Measures that are printed of each sample. */
export const UDP_HEADLINES: readonly string[] = ROWS.map(({ measure }) => measure);

/** tproxy as a multiple of v2ray. */
const RATIO_TARGETS: readonly { measure: string; atLeast?: number; atMost?: number }[] = [
  ...Object.keys(STREAMS).map((name) => ({ measure: `saturated.${name}.delivered`, atLeast: 1.5 })),
  { measure: "latency.p99", atMost: 1 },
  { measure: "latency.many.p99", atMost: 1 },
];
const SESSION_BYTES = 1024;

/** A row for each measure, a column for each contestant, and the ratios. */
export function formatUdpTable(results: Results): string {
  const medians = [...results.values()].map(summarize);
  const bases = [BASE, EARLY].filter((base) => compare(results, base) !== undefined);
  const head = ["median", ...results.keys(), ...bases.map((base) => `tproxy ÷ ${base}`)];
  const lines = [formatRow(head), formatRule(head.length - 1)];
  for (const row of ROWS) {
    if (!medians.some((sample) => sample[row.measure] !== undefined)) continue;
    const ratios = bases.map((base) => formatNumber(compare(results, base)![row.measure], 2));
    lines.push(formatRow([row.title, ...medians.map((sample) => formatCell(row, sample)), ...ratios]));
  }
  return lines.join("\n");
}

/** One line for each target; undefined where a contestant is missing. */
export function judgeUdp(results: Results): Verdict | undefined {
  const ratios = compare(results, BASE);
  if (ratios === undefined) return undefined;
  const verdicts = RATIO_TARGETS.filter(({ measure }) => ratios[measure] !== undefined).map(
    ({ measure, atLeast, atMost }) => {
      const ratio = ratios[measure]!;
      const target = atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`;
      return {
        held: ratio >= (atLeast ?? 0) && ratio <= (atMost ?? Infinity),
        text: `${measure}: ${ratio.toFixed(2)} times ${BASE}, target ${target}`,
      };
    },
  );
  const bytes = summarize(results.get("tproxy")!)["sessions.bytes"];
  if (bytes !== undefined) {
    const text = `sessions.bytes: ${bytes.toFixed(0)}, target less than ${SESSION_BYTES}`;
    verdicts.push({ held: bytes < SESSION_BYTES, text });
  }
  return makeVerdict(verdicts);
}

function describeStream(name: keyof typeof STREAMS): string {
  const { direction, size, flows } = STREAMS[name];
  return `${DIRECTIONS[direction]}, ${size} bytes${flows === 1 ? "" : `, ${flows} clients`}`;
}

function formatCell(row: Row, sample: Sample): string {
  const value = formatNumber(sample[row.measure], row.digits);
  const whole = row.of === undefined ? undefined : sample[row.of];
  return whole === undefined ? value : `${value} of ${formatNumber(whole, row.digits)}`;
}
