/**
 * The power of this process: what the launcher has left to it, what it gives up by itself when it runs, and
 * one line about both.
 * @module
 */
import { filterAllThreads } from "../../../ffi/seccomp.ts";
import type { Config } from "../../config/types.ts";
import type { Logger } from "../../log.ts";
import { Marks, withBits } from "../../marks.ts";
import { errnoCode } from "../../net/errno.ts";
import { tellLimits, useNetlinkServer } from "../../netlink/served/server.ts";
import type { Environment } from "../manager/service.ts";
import { sealingFilter } from "./call_filter.ts";
import { describePower } from "./power.ts";
import { takeTold, type Told } from "./told.ts";

/** See the module. */
export class Privileges {
  /** Socket of the one who opens files; -1: there is none. */
  readonly files: number;
  readonly #told: Told;
  readonly #missing: string[];

  constructor(environment: Environment) {
    this.#told = takeTold(environment);
    this.#missing = [...this.#told.missing];
    this.files = this.#told.files;
  }

  /**
   * Tells the one who changes the kernel's rules what is this proxy's own, and has this thread use it. To be
   * called before anything is read that comes from the network.
   */
  limitTo({ kernel, listener }: Pick<Config, "kernel" | "listener">): void {
    useNetlinkServer(this.#told.netlink);
    const marks = [new Marks(kernel.mark), new Marks(kernel.mark, { apart: true })]
      .reduce((bits, { all, pin }) => withBits(bits, withBits(all, pin)), 0);
    tellLimits({ marks, table: kernel.table, port: listener.port });
  }

  /** Tells that programs which only root can run are out of reach. */
  get dropped(): boolean {
    return this.#told.kept === undefined;
  }

  /**
   * Gives up what starting has needed, on all threads and for good. Those that come later, as the successor
   * of a worker that has failed, are under the same.
   */
  seal(): void {
    if (!this.dropped) return;
    const failed = filterAllThreads(sealingFilter(Deno.build.arch, Deno.pid));
    if (failed !== 0) {
      this.#missing.push(`second filter of calls: ${failed < 0 ? errnoCode(-failed) : failed}`);
    }
  }

  /** `uid 65534, caps net_raw,net_bind_service, seccomp 2, landlock 7`. */
  describe(readTextFile: (path: string) => string): string {
    const { kept, landlock } = this.#told;
    return describePower(readStatus(readTextFile), { landlock, kept });
  }

  /** Says it in the log. */
  announce(log: Logger, readTextFile: (path: string) => string): void {
    log.info(`privileges: ${this.describe(readTextFile)}`, {
      ...(this.#missing.length === 0 ? {} : { missing: this.#missing.join("; ") }),
    });
  }
}

function readStatus(readTextFile: (path: string) => string): string {
  try {
    return readTextFile("/proc/self/status");
  } catch {
    return "";
  }
}
