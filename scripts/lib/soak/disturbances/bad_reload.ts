/**
 * A reload of a config that is none, or of no file: the one before stays in force.
 * @module
 */
import { BAD_CONFIGS, writeGood } from "../world.ts";
import type { Disturbance } from "./disturbance.ts";

let turn = 0;

/** See the module. */
export const BAD_RELOAD: Disturbance = {
  name: "bad reload",
  everySeconds: 7,
  costs: false,
  async disturb(scene) {
    const text = BAD_CONFIGS[turn++ % BAD_CONFIGS.length];
    if (text === undefined) Deno.removeSync(scene.service.configPath);
    else Deno.writeTextFileSync(scene.service.configPath, text);
    await scene.expectLog(/not reloaded: /, () => scene.service.signal("SIGHUP"));
    writeGood(scene.lab, scene.round);
  },
};
