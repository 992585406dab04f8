/**
 * A part of the run: load, and disturbances one after another, each at its time.
 * @module
 */
import { delay } from "../../../tests/laboratory/machine/wait.ts";
import type { Disturbance } from "./disturbances/disturbance.ts";
import type { Scene } from "./scene.ts";

/** Seconds before the first disturbance, and after the last. */
const CALM_SECONDS = 2;

/** Does each once. */
export async function disturbOnce(scene: Scene, disturbances: readonly Disturbance[]): Promise<void> {
  for (const one of disturbances) await scene.during(one.name, one.costs, () => one.disturb(scene));
}

/** Disturbs for so many seconds. `tick` is called each second. */
export async function disturb(
  scene: Scene,
  disturbances: readonly Disturbance[],
  { seconds, tick }: { seconds: number; tick: () => void },
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  const due = new Map(
    disturbances.map((one, place) => [one, performance.now() + (CALM_SECONDS + place) * 1000]),
  );
  const timer = setInterval(tick, 1000);
  try {
    while (performance.now() < end) {
      // The one that has waited for longest.
      const [next, time] = [...due].toSorted(([, one], [, other]) => one - other)[0];
      if (time > performance.now() || performance.now() > end - CALM_SECONDS * 1000) {
        await delay(50);
        continue;
      }
      due.set(next, performance.now() + next.everySeconds * 1000);
      await scene.during(next.name, next.costs, () => next.disturb(scene));
    }
  } finally {
    clearInterval(timer);
  }
}
