/**
 * A trial: a random router with a proxy and without, the differences that stay, the smallest router with one.
 * @module
 */
import type { Flow } from "./calls.ts";
import type { Difference } from "./admitted.ts";
import { judge } from "./judge.ts";
import type { Piece, RandomRouter } from "./router.ts";
import { type Seen, tryRouter } from "./world.ts";

/** The outcome of a trial. */
export interface Trial {
  readonly differences: readonly Difference[];
  readonly without: Seen;
  readonly through: Seen;
}

/** Tries both at the same time. `fault`: commands on the router, in the world with the proxy alone. */
export async function tryBoth(router: RandomRouter, fault?: string): Promise<Trial> {
  const [without, through] = await Promise.all([
    tryRouter(router),
    tryRouter(router, { proxy: true, ...fault === undefined ? {} : { fault } }),
  ]);
  return { differences: judge(router, without, through), without, through };
}

/** Keeps what differs again and again: a machine that does much else delays packets. */
export async function tryUntilSure(router: RandomRouter): Promise<Trial> {
  let trial = await tryBoth(router);
  for (let again = 0; again < 2 && trial.differences.length > 0; again++) {
    const next = await tryBoth(router);
    const known = trial.differences.map(keyOf);
    trial = { ...next, differences: next.differences.filter((each) => known.includes(keyOf(each))) };
  }
  return trial;
}

function keyOf({ subject, flow, before, after }: Difference): string {
  return subject === "time" ? `time ${flow}` : `${subject} ${flow} ${before} ${after}`;
}

/** Leaves out pieces and flows as long as a difference of the same subject is there; `tries` at most. */
export async function shrinkRouter(router: RandomRouter, subject: string, tries = 40): Promise<RandomRouter> {
  let [best, left] = [router, tries];
  const holds = async (smaller: RandomRouter) => {
    if (left-- <= 0) return false;
    const { differences } = await tryBoth(smaller);
    return differences.some((each) => each.subject === subject);
  };
  const shrink = async <T extends Piece | Flow>(
    of: (router: RandomRouter) => readonly T[],
    make: (items: readonly T[]) => RandomRouter,
  ) => {
    for (
      let size = Math.ceil(of(best).length / 2);
      size > 0 && left > 0;
      size = size === 1 ? 0 : Math.ceil(size / 2)
    ) {
      for (let start = 0; start < of(best).length;) {
        const rest = of(best).filter((_, index) => index < start || index >= start + size);
        if (await holds(make(rest))) best = make(rest);
        else start += size;
      }
    }
  };
  await shrink<Flow>((each) => each.flows, (flows) => ({ ...best, flows }));
  await shrink<Piece>((each) => each.pieces, (pieces) => ({ ...best, pieces }));
  return best;
}
