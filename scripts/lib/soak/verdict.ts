/**
 * The verdict: a line for each promise, what was found, and whether it holds. Pure.
 * @module
 */
import type { Growth } from "./memory.ts";
import { during, type Failure, type Window } from "./windows.ts";

/** Questions over UDP. */
export interface Datagrams {
  readonly exchanges: number;
  readonly lost: number;
  readonly late: number;
}

/** One promise. */
export interface Finding {
  readonly promise: string;
  readonly found: string;
  /** Undefined: the run was too short to tell. */
  readonly held: boolean | undefined;
}

/**
 * Bytes that a process may grow by, however long it serves: code that has become hot, objects for as many
 * sessions as there were at a time, and above all the books of UDP flows that rules by name need. They fill
 * up to their bound: 60,000 flows are 40 to 50 MB, 60,000 more are nothing.
 */
export const MOST_GROWTH = 48_000_000;
/** Lists that a finding shows of many. */
const SHOWN = 20;

/** A finding of things of which there must be none; `count`, where a line stands for several. */
export function none(promise: string, found: readonly string[], count: number = found.length): Finding {
  const shown = found.slice(0, SHOWN).map((line) => `\n      ${line}`).join("");
  const more = found.length > SHOWN ? `\n      ${found.length - SHOWN} more` : "";
  return { promise, found: `${count}${shown}${more}`, held: count === 0 };
}

/** Flows that failed: how many of each kind in the same way during the same disturbances, and the first. */
export function tellFailures(failures: readonly Failure[], windows: readonly Window[]): string[] {
  const groups = new Map<string, Failure[]>();
  for (const failure of failures) {
    const names = during(failure, windows).map(({ name }) => name);
    const group = `${failure.what} ${failure.why} ${names.join()}`;
    groups.set(group, [...groups.get(group) ?? [], failure]);
  }
  return [...groups.values()].map((group) =>
    `${group.length} times, first ${tellFailure(group[0], windows)}`
  );
}

/** A flow that failed, as a line, with what happened while it lived. */
function tellFailure(failure: Failure, windows: readonly Window[]): string {
  const { begin, end, what, peer, why } = failure;
  const meanwhile = during(failure, windows).map((window) =>
    `${window.name} ${clock(window.begin)} to ${clock(window.end)}`
  );
  return `${clock(begin)} ${what} from ${peer} after ${end - begin} ms: ${why} (${
    meanwhile.join(", ") || "nothing happened"
  })`;
}

function clock(time: number): string {
  return new Date(time).toISOString().slice(11, 23);
}

/** Memory over the settled part of the last process's life. */
export function judgeMemory(growth: Growth | undefined): Finding {
  const promise = `anonymous memory grows by less than ${MOST_GROWTH / 1e6} MB while it serves`;
  if (growth === undefined) return { promise, found: "too short a run to tell", held: undefined };
  const { perHour, least, most, hours, first, last } = growth;
  const [mean, low, high, before, after] = [perHour * hours, least * hours, most * hours, first, last].map(
    (bytes) => (bytes / 1e6).toFixed(1),
  );
  const held = most * hours < MOST_GROWTH ? true : least * hours > MOST_GROWTH ? false : undefined;
  return {
    promise,
    found:
      `${mean} MB (${low} to ${high}) in ${(hours * 60).toFixed(0)} minutes; first quarter ${before} MB, ` +
      `last ${after}${held === undefined ? "; too short a run to tell" : ""}`,
    held,
  };
}

/** Memory that it holds without a session, before so many flows and after. */
export function judgeRest(before: number, after: number, flows: number): Finding {
  const more = after - before;
  const [held, grown] = [after, more].map((bytes) => (bytes / 1e6).toFixed(1));
  return {
    promise: `at rest it holds less than ${MOST_GROWTH / 1e6} MB more of it than before`,
    found: `${grown} more, ${held} MB; ${(more / flows).toFixed(0)} bytes a flow`,
    held: more < MOST_GROWTH,
  };
}

/** Tells what each kind of disturbance has cost; a flow that lived in several counts with the first. */
export function tellCosts(excused: readonly Failure[], windows: readonly Window[]): string {
  const names = excused.flatMap((failure) =>
    during(failure, windows).find(({ excuses }) => excuses)?.name ?? [] // what its other end saw of one
  );
  const counts = [...new Set(names)].map((name) =>
    `${name} ${names.filter((other) => other === name).length}`
  );
  return `flows that were lost to disturbances: ${counts.join(", ") || "none"}`;
}

/** Datagrams that were never answered, though they were in a second: of so many one may be. */
export function judgeLost(when: string, { exchanges, lost, late }: Datagrams, most: number): Finding {
  return {
    promise: `${when}: at most one datagram in ${most} lost`,
    found: `${lost} of ${exchanges}; ${late} answered late`,
    held: lost <= exchanges / most,
  };
}

/** Flows of UDP that went on by another port: of so many datagrams one may be the first to do so. */
export function judgeMoves(
  moves: readonly Failure[],
  windows: readonly Window[],
  { exchanges, most }: { readonly exchanges: number; readonly most: number },
): Finding {
  const { found } = none("", tellFailures(moves, windows), moves.length);
  return {
    promise: `at most one datagram in ${most} by another port than the one before, but for such disturbances`,
    found: `${found.replace(/^\d+/, (count) => `${count} of ${exchanges}`)}`,
    held: moves.length <= exchanges / most,
  };
}

/** All that it holds, but for the pipes of splice, of which a worker keeps some for the next session. */
export function judgeHoldings(
  when: string,
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Finding {
  const kinds = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((kind) =>
    kind !== "pipe"
  );
  const changed = kinds.filter((kind) => before[kind] !== after[kind])
    .map((kind) => `${kind}: ${before[kind] ?? 0} before, ${after[kind] ?? 0} after`);
  return none(
    `${when}: descriptors, threads, sessions, elements of sets, files that were not there before`,
    changed,
  );
}

/** All findings as text, the last line in one word. */
export function formatVerdict(findings: readonly Finding[]): string {
  const lines = findings.map(({ promise, found, held }) =>
    `${held === undefined ? "  ?   " : held ? "  ok  " : "  FAIL"}  ${promise}: ${found}\n`
  );
  return `${lines.join("")}${isHeld(findings) ? "held" : "NOT HELD"}\n`;
}

/** Tells whether nothing is broken. */
export function isHeld(findings: readonly Finding[]): boolean {
  return findings.every(({ held }) => held !== false);
}
