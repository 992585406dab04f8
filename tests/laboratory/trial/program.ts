/**
 * Many trials in a row, in one process: the words are the config and their number. They end in turn by
 * themselves, before their time, and by a confirmation that an uninstall follows.
 * @module
 */
import { loadConfig } from "../../../src/config/load.ts";
import { uninstall } from "../../../src/kernel/backends.ts";
import { preparePlan } from "../../../src/kernel/prepare.ts";
import { beginTrial, confirmTrial, forgetTrial, tidyTrial, trialLeft } from "../../../src/kernel/trials.ts";
import { delay } from "../machine/wait.ts";

const [path, count] = Deno.args;
const readTextFile = (path: string) => Deno.readTextFileSync(path);
const loaded = loadConfig({ path, readTextFile });
const origin = { config: path, fingerprint: "", force: false };

for (let i = 0; i < Number(count); i++) {
  const wanted = { plan: preparePlan(loaded, readTextFile), config: loaded.config };
  const long = i % 3 !== 0;
  await beginTrial(wanted, readTextFile, { timeoutMs: long ? 60_000 : 20, origin });
  if (i % 3 === 2) {
    await confirmTrial(wanted);
    await uninstall(readTextFile);
    forgetTrial();
    continue;
  }
  while (!long && trialLeft() !== 0) await delay(5);
  if (!await tidyTrial({ early: long })) throw new Error(`Trial ${i} had nothing to tidy up`);
}
