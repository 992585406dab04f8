/**
 * `tproxy upgrade` with the same program at another path: another process takes over, and no flow is lost.
 * From source it is the same program at the same path.
 * @module
 */
import { tproxy, tproxyCommand } from "../../../../tests/laboratory/proxy/proxy.ts";
import type { Scene } from "../scene.ts";
import type { Disturbance } from "./disturbance.ts";

/** A start, on a machine that does much else. */
const UPGRADE_MS = 120_000;

let turn = 0;

/** See the module. */
export const UPGRADE: Disturbance = {
  name: "upgrade",
  everySeconds: 25,
  costs: false,
  async disturb(scene) {
    await scene.alone(); // until then another one is refused
    const { lab, service: { configPath } } = scene;
    const words = ["upgrade", "-c", configPath, ...fileOf(scene)];
    const { stdout } = await tproxy(lab, words, { timeoutMs: UPGRADE_MS });
    scene.succeededBy(Number(/^pid (\d+) runs/m.exec(stdout)![1]));
  },
};

/** The program's copy of this turn: one that runs cannot be written over. */
function fileOf({ lab }: Scene): string[] {
  if (Deno.env.get("TPROXY_BIN") === undefined) return [];
  const path = `${lab.directory}/tproxy-${turn++ % 2}`;
  if (turn <= 2) Deno.copyFileSync(tproxyCommand()[0], path);
  return [path];
}
