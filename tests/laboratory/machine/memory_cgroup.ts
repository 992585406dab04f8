/**
 * A cgroup with a limit of memory, of version 1 or 2, whichever this machine limits memory with.
 * @module
 */
import { exists } from "../../../scripts/lib/build/disk.ts";
import { until } from "./wait.ts";

const V1 = "/sys/fs/cgroup/memory";
const V2 = "/sys/fs/cgroup";

/** Names of files and keys in a version of cgroups. */
interface Version {
  readonly root: string;
  readonly limit: string;
  readonly usage: string;
  readonly peak: string;
  /** With a line `oom_kill N`. */
  readonly events: string;
}

const VERSION_1: Version = {
  root: V1,
  limit: "memory.limit_in_bytes",
  usage: "memory.usage_in_bytes",
  peak: "memory.max_usage_in_bytes",
  events: "memory.oom_control",
};
const VERSION_2: Version = {
  root: V2,
  limit: "memory.max",
  usage: "memory.current",
  peak: "memory.peak",
  events: "memory.events",
};

let count = 0;

/** The cgroup. */
export class MemoryCgroup implements AsyncDisposable {
  readonly directory: string;
  readonly #version: Version;

  /**
   * Makes it; `bytes` undefined: without a limit. Throws where {@linkcode memoryCgroupObstacle} tells why.
   */
  constructor(bytes: number | undefined) {
    const version = findVersion();
    if (version === undefined) throw new Error(memoryCgroupObstacle());
    this.#version = version;
    this.directory = `${version.root}/tproxy-${Deno.pid}-${++count}`;
    Deno.mkdirSync(this.directory);
    if (bytes !== undefined) Deno.writeTextFileSync(`${this.directory}/${version.limit}`, String(bytes));
  }

  /**
   * Words in front of a command, which runs in the cgroup then, with the same process id. In a namespace of
   * the laboratory, `ip netns exec` has hidden the cgroups; so the mounts are those of this process again, as
   * they are where the proxy really runs.
   */
  get wrapper(): readonly string[] {
    const join = 'echo $$ >"$0" && exec "$@"';
    return [
      "nsenter",
      `--mount=/proc/${Deno.pid}/ns/mnt`,
      "sh",
      "-c",
      join,
      `${this.directory}/cgroup.procs`,
    ];
  }

  /** Bytes that are charged to it: processes, page cache, kernel. */
  get usage(): number {
    return Number(this.#read(this.#version.usage));
  }

  /** The most that was. NaN where the kernel does not tell (before 5.19 with version 2). */
  get peak(): number {
    return Number(this.#read(this.#version.peak) || NaN);
  }

  /** Processes that the kernel has killed because there was no more memory. */
  get killed(): number {
    return Number(/^oom_kill (\d+)$/m.exec(this.#read(this.#version.events))?.[1] ?? 0);
  }

  /** Removes it once its processes are gone: those beside a program end a moment after it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await until(() => this.#remove(), { what: `${this.directory} without processes`, timeoutMs: 20_000 });
  }

  #remove(): boolean {
    try {
      Deno.removeSync(this.directory);
      return true;
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EBUSY") return false;
      throw error;
    }
  }

  #read(name: string): string {
    try {
      return Deno.readTextFileSync(`${this.directory}/${name}`).trim();
    } catch {
      return "";
    }
  }
}

/** Returns the reason why no cgroup can limit memory here, if any. */
export function memoryCgroupObstacle(): string | undefined {
  return findVersion() === undefined ? "needs cgroups that may limit memory" : undefined;
}

function findVersion(): Version | undefined {
  if (exists(`${V1}/${VERSION_1.limit}`)) return isWritable(V1) ? VERSION_1 : undefined;
  const delegated = exists(`${V2}/cgroup.subtree_control`) &&
    Deno.readTextFileSync(`${V2}/cgroup.subtree_control`).split(/\s+/).includes("memory");
  return delegated && isWritable(V2) ? VERSION_2 : undefined;
}

function isWritable(root: string): boolean {
  const probe = `${root}/tproxy-probe-${Deno.pid}`;
  try {
    Deno.mkdirSync(probe);
    Deno.removeSync(probe);
    return true;
  } catch {
    return false;
  }
}
