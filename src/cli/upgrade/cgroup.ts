/**
 * Control groups: a successor belongs to the same service as the proxy before it.
 * @module
 */

/** A hierarchy and a process's place in it. */
interface Place {
  readonly file: string;
}

const ROOT = "/sys/fs/cgroup";

/**
 * Does some work in the groups of a process, which what it starts inherits. Where that is not possible it is
 * done in those of this one.
 */
export function inGroupsOf<T>(pid: number, work: () => T): T {
  const own = placesOf("self");
  const theirs = placesOf(String(pid));
  const moved = theirs.filter((place, i) => place.file !== own[i]?.file && enter(place));
  try {
    return work();
  } finally {
    if (moved.length > 0) own.forEach(enter);
  }
}

/** Lists the places of a process: one with version 2, some with version 1. */
function placesOf(pid: string): Place[] {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cgroup`).trim().split("\n").map((line) => {
      const [, controllers, ...path] = line.split(":");
      const hierarchy = controllers === "" ? "" : `/${controllers.replace(/^name=/, "")}`;
      return { file: `${ROOT}${hierarchy}${path.join(":")}/cgroup.procs` };
    });
  } catch {
    return [];
  }
}

function enter({ file }: Place): boolean {
  try {
    Deno.writeTextFileSync(file, String(Deno.pid), { create: false });
    return true;
  } catch {
    return false;
  }
}
