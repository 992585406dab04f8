/**
 * A reload of another config, with a list of names that has changed, and of a log that was moved away.
 * @module
 */
import { attempt } from "../../../../tests/laboratory/network/dial.ts";
import { writeGood } from "../world.ts";
import type { Disturbance } from "./disturbance.ts";

/** See the module. */
export const GOOD_RELOAD: Disturbance = {
  name: "good reload",
  everySeconds: 7,
  costs: false,
  async disturb(scene) {
    const { lab } = scene;
    const { refused, open } = writeGood(lab, ++scene.round);
    Deno.renameSync(`${lab.directory}/access.log`, `${lab.directory}/access.log.${scene.round}`);
    await scene.expectLog(/generation \d+ is in force/, () => scene.service.signal("SIGHUP"));
    const tell = async (port: number) => (await attempt(lab, { port, seconds: 20 })).told;
    const told = [await tell(refused), await tell(open)];
    if (told[0] !== "Connection refused" || told[1] !== "connected") {
      throw new Error(`After a reload port ${refused} is to be refused, ${open} not: ${told.join(", ")}`);
    }
  },
};
