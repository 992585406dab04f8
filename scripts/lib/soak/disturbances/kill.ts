/**
 * SIGKILL, and a start a moment later as by a service manager: live connections are lost, new ones forwarded.
 * @module
 */
import { delay } from "../../../../tests/laboratory/machine/wait.ts";
import type { Disturbance } from "./disturbance.ts";

/** Time for which there is no proxy, at most. */
const AWAY_MS = 2000;

/** See the module. */
export const KILL: Disturbance = {
  name: "kill -9",
  everySeconds: 12,
  costs: true,
  disturb: (scene) =>
    scene.replaceProxy(async () => {
      scene.service.signal("SIGKILL");
      await scene.service.ended();
      await delay(Math.random() * AWAY_MS);
    }),
};
