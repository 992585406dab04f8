/**
 * A trial as its terminal shows it.
 * @module
 */
import { listTraces } from "../../kernel/backends.ts";
import { tidyTrial, trialLeft } from "../../kernel/trials.ts";
import type { Env } from "../env.ts";

/** Milliseconds between two looks. */
const LOOK_MS = 500;

/**
 * Shows the seconds that are left of a trial until it ends; Ctrl-C ends it. Returns the exit code: 0 where it
 * was confirmed.
 */
export async function countDown(env: Env): Promise<number> {
  const interrupt = followInterrupt();
  const end = performance.now() + (trialLeft() ?? 0);
  try {
    for (;;) {
      const left = trialLeft();
      if (left === undefined) return await tellEnd(env, performance.now() >= end);
      if (left === 0 || interrupt.came) {
        await tidyTrial({ early: true });
        return await tellEnd(env, true);
      }
      env.stdout(`\r  ${Math.ceil(left / 1000)} s left; Ctrl-C takes it back now  `);
      await interrupt.sleep(LOOK_MS);
    }
  } finally {
    interrupt.end();
  }
}

async function tellEnd(env: Env, over: boolean): Promise<number> {
  const kept = !over && (await listTraces(env.readTextFile)).length > 0;
  const text = kept
    ? "Confirmed: it stays."
    : over
    ? "Taken back: what was there before holds again. The config's file is as it is."
    : "Uninstalled.";
  env.stdout(`\r${text.padEnd(48)}\n`);
  return kept ? 0 : 1;
}

/** SIGINT, which ends a sleep. */
interface Interrupt {
  readonly came: boolean;
  sleep(ms: number): Promise<void>;
  end(): void;
}

function followInterrupt(): Interrupt {
  let came = false;
  let wake = () => {};
  const listener = () => {
    came = true;
    wake();
  };
  Deno.addSignalListener("SIGINT", listener);
  return {
    get came() {
      return came;
    },
    async sleep(ms) {
      if (came) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
    end: () => Deno.removeSignalListener("SIGINT", listener),
  };
}
