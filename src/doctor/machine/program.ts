/**
 * Facts of this program itself, which the command line knows. Pure.
 * @module
 */

/** The load that a proxy with this config can serve. */
export interface Room {
  /** Live connections, 0 where TCP is not intercepted. */
  readonly connections: number;
  /** Live UDP sessions, 0 where UDP is not intercepted. */
  readonly udpSessions: number;
}

/** The number of workers that a proxy has, the reason for it, and the memory that it finds. */
export interface MemoryFacts {
  readonly workers: number;
  readonly reason: string;
  /** Bytes, and whose they are; undefined: unknown. */
  readonly memory: { readonly bytes: number; readonly of: "machine" | "cgroup" } | undefined;
}

/** Paths of this program, where it is a single file or of a package. */
export interface ProgramPaths {
  /** The runtime that runs, by a path that leads there (/proc/self/exe), and what to call the place. */
  readonly program?: { readonly path: string; readonly name: string };
  /** The directory of compiled code. */
  readonly compiled?: string;
}
