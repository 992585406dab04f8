/**
 * `tproxy run` mends what others remove. Tests that take a part of an install away keep it from that.
 * @module
 */
import type { Lab } from "../lab.ts";

/** Makes a running proxy believe that an uninstall has begun, until the next install. */
export async function keepFromMending(lab: Lab): Promise<void> {
  const words = "ip rule add priority 500 nop protocol 50";
  await lab.router.run(words.split(" "), { mayFail: true }); // it may be there already
}
