/**
 * The system's clock as an administrator or NTP sets it, for the programs of one laboratory: the machine's
 * own stays as it is.
 * @module
 */
import type { Lab } from "../lab.ts";
import { runProgram } from "../program.ts";

const SOURCE = new URL("set_clock/clock.c", import.meta.url).pathname;
const FLAGS = "-std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -shared -fPIC".split(" ");

/** A clock that can be set. The launcher of the single file lets nobody in by LD_PRELOAD. */
export class SetClock {
  /** The environment of programs that go by it. */
  readonly env: Record<string, string>;
  readonly #path: string;

  private constructor(library: string, path: string) {
    this.env = { LD_PRELOAD: library, SET_CLOCK: path };
    this.#path = path;
  }

  /** Compiles it. It goes right. */
  static async make(lab: Lab): Promise<SetClock> {
    const library = `${lab.directory}/clock.so`;
    await runProgram(["gcc", ...FLAGS, "-o", library, SOURCE], { timeoutMs: 60_000 });
    const clock = new SetClock(library, lab.writeFile("clock", "\0".repeat(8)));
    return clock;
  }

  /** Sets it to so many seconds after the machine's. */
  set(seconds: number): void {
    using file = Deno.openSync(this.#path, { write: true });
    file.writeSync(new Uint8Array(BigInt64Array.of(BigInt(seconds)).buffer));
  }
}
