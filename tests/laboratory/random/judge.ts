/**
 * The judge: what was seen with a proxy and without, and what may differ.
 * @module
 */
import { nameFlow } from "./calls.ts";
import { ADMITTED, type Difference } from "./admitted.ts";
import type { RandomRouter } from "./router.ts";
import type { Seen } from "./world.ts";

/** A flow may take so much longer. A SYN that is sent again takes a second. */
const SLOWER_MS = 700;

/** Says a difference in a line. */
export function nameDifference(router: RandomRouter, { flow, subject, before, after }: Difference): string {
  const where = flow === undefined ? "" : `${nameFlow(router.flows[flow])}: `;
  return `${subject}: ${where}"${before}" became "${after}"`;
}

/** Differences that nobody has admitted. */
export function judge(router: RandomRouter, without: Seen, through: Seen): Difference[] {
  const all = [...compareFlows(without, through), ...compareLists(router, without, through)];
  return all.filter((difference) => !ADMITTED.some(({ admits }) => admits(difference, router, all)));
}

function compareFlows(without: Seen, through: Seen): Difference[] {
  return without.flows.flatMap((before, flow) => {
    const after = through.flows[flow];
    const [words, now] = [withoutPorts(before.words), withoutPorts(after.words)];
    if (words !== now) return [{ flow, subject: "outcome", before: words, after: now }];
    if (after.ms <= before.ms + SLOWER_MS) return [];
    return [{
      flow,
      subject: "time",
      before: `${before.ms.toFixed(0)} ms`,
      after: `${after.ms.toFixed(0)} ms`,
    }];
  });
}

function compareLists(router: RandomRouter, without: Seen, through: Seen): Difference[] {
  return Object.keys(without.lists).flatMap((subject) => {
    const [before, after] = [without, through].map(({ lists }) => lists[subject].map(withoutPorts));
    return [
      ...minus(before, after).map((line) => ({ ...ofFlow(router, line), subject, before: line, after: "" })),
      ...minus(after, before).map((line) => ({ ...ofFlow(router, line), subject, before: "", after: line })),
    ];
  });
}

/** Lines of one list that the other lacks, each as often as it does. */
function minus(lines: readonly string[], others: readonly string[]): string[] {
  const rest = [...others];
  return lines.filter((line) => {
    const index = rest.indexOf(line);
    if (index < 0) return true;
    rest.splice(index, 1);
    return false;
  });
}

/** The flow by its client's own port. */
function ofFlow(router: RandomRouter, line: string): { flow?: number } {
  const own = /\b(20\d\d\d)\b/.exec(line)?.[1];
  const flow = router.flows.findIndex((each) => each.own === Number(own));
  return flow < 0 ? {} : { flow };
}

/** Ports that the kernel chooses are any. */
function withoutPorts(words: string): string {
  return words.replace(/\b(?!20\d\d\d\b)[2-6]\d{4}\b(?! bytes)/g, "any");
}
