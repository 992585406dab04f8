/**
 * Another program removes what `install` has made: a table, a routing rule, a route. The proxy makes it again
 * within a second; until then packets go another way.
 * @module
 */
import { delay } from "../../../../tests/laboratory/machine/wait.ts";
import { countPast } from "../world.ts";
import type { Scene } from "../scene.ts";
import type { Disturbance } from "./disturbance.ts";

/** Time for rules to be there again, on a machine that does much else; for packets on their way. */
const MOST_MS = 5_000;
const AFTERMATH_MS = 500;

let turn = 0;

const DEEDS: readonly ((scene: Scene) => Promise<unknown>)[] = [
  ({ lab }) => lab.router.nft("delete table inet transparent_proxy"),
  ({ lab }) => lab.router.ip("rule del priority 500"),
  ({ lab }) => lab.router.ip("route flush table 100"),
  ({ lab }) => lab.router.ip("rule del priority 500", { family: 6 }),
  ({ lab }) => lab.router.nft("flush table inet transparent_proxy"),
];

/** See the module. */
export const FLUSH: Disturbance = {
  name: "flush",
  everySeconds: 17,
  costs: true,
  async disturb(scene) {
    const past = await countPast(scene.lab);
    const ms = await scene.expectLog(/are there again/, () => DEEDS[turn++ % DEEDS.length](scene));
    if (ms > MOST_MS) throw new Error(`Rules were missing for ${ms.toFixed(0)} ms`);
    await delay(AFTERMATH_MS);
    scene.excusedPast += await countPast(scene.lab) - past;
  },
};
