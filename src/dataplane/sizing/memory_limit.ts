/**
 * Memory that this process may use: the machine's, or less where a cgroup says so. Pure: its files are handed
 * in.
 * @module
 */

/** Memory, and what gives it its size. */
export interface MemoryLimit {
  /** Bytes. */
  readonly bytes: number;
  readonly of: "machine" | "cgroup";
}

/** Reads a file; throws if it cannot. */
export type ReadTextFile = (path: string) => string;

/** A mounted hierarchy of cgroups that limits memory. */
interface Hierarchy {
  /** Its mount point. */
  readonly mountPoint: string;
  /** Path of our own cgroup below the mount point; "" for the one that is mounted. */
  readonly cgroup: string;
  /** The files of a cgroup that hold a limit, in bytes or `max`. */
  readonly files: readonly string[];
}

/** Version 2: above `high` a process is slowed down until it has less, above `max` it is killed. */
const V2_FILES = ["memory.max", "memory.high"];
const V1_FILES = ["memory.limit_in_bytes"];

/**
 * Returns the least of what the machine and the cgroups above this process have; undefined where /proc tells
 * nothing.
 */
export function readMemoryLimit(readTextFile: ReadTextFile): MemoryLimit | undefined {
  const read = (path: string): string => {
    try {
      return readTextFile(path);
    } catch {
      return "";
    }
  };
  const kibibytes = /^MemTotal:\s+(\d+) kB$/m.exec(read("/proc/meminfo"))?.[1];
  const machine = kibibytes === undefined ? Infinity : Number(kibibytes) * 1024;
  const limits = listHierarchies(read("/proc/self/mountinfo"), read("/proc/self/cgroup"))
    .flatMap((hierarchy) => limitFiles(hierarchy).map((path) => parseLimit(read(path))));
  const cgroup = Math.min(Infinity, ...limits);
  if (cgroup < machine) return { bytes: cgroup, of: "cgroup" };
  return machine === Infinity ? undefined : { bytes: machine, of: "machine" };
}

/** Mounts of /proc/self/mountinfo, with the paths of /proc/self/cgroup: cgroups(7). */
function listHierarchies(mounts: string, cgroups: string): Hierarchy[] {
  const own = cgroups.split("\n").map((line) => /^\d+:([^:]*):(.*)$/.exec(line)).filter((match) => !!match);
  const v1 = own.find(([, controllers]) => controllers.split(",").includes("memory"))?.[2];
  const v2 = own.find(([, controllers]) => controllers === "")?.[2];
  return mounts.split("\n").flatMap((line): Hierarchy[] => {
    // ID PARENT DEVICE ROOT POINT OPTIONS … - TYPE SOURCE OPTIONS
    const [, root, mountPoint, type, options] = /^\d+ \d+ \S+ (\S+) (\S+) .* - (\S+) \S+ (\S+)$/.exec(line) ??
      [];
    const isV1 = type === "cgroup" && options.split(",").includes("memory");
    const path = type === "cgroup2" ? v2 : isV1 ? v1 : undefined;
    if (path === undefined) return [];
    return [{ mountPoint, cgroup: pathBelow(root, path), files: isV1 ? V1_FILES : V2_FILES }];
  });
}

/**
 * The path of a cgroup below the one that is mounted. A path from outside of it is no use: then the mounted
 * one counts.
 */
function pathBelow(root: string, path: string): string {
  if (path.split("/").includes("..")) return "";
  if (root === "/") return path === "/" ? "" : path;
  return path.startsWith(`${root}/`) ? path.slice(root.length) : "";
}

/** The files with limits of a cgroup and of all above it: each of them holds. */
function limitFiles({ mountPoint, cgroup, files }: Hierarchy): string[] {
  const paths: string[] = [];
  for (let path = cgroup;; path = path.slice(0, path.lastIndexOf("/"))) {
    paths.push(...files.map((file) => `${mountPoint}${path}/${file}`));
    if (path === "") return paths;
  }
}

/** `max`, no file, and the huge number that version 1 has for "none": no limit. */
function parseLimit(text: string): number {
  const number = text.trim();
  return /^\d+$/.test(number) ? Number(number) : Infinity;
}
