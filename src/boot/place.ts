/**
 * Places of files on which a start at boot can rely. Pure.
 * @module
 */

/** Emptied at each boot, or from time to time, whatever file system they are on. */
const TEMPORARY = ["/tmp/", "/var/tmp/", "/run/", "/var/run/", "/dev/", "/proc/", "/sys/"];
/** File systems in memory. */
const IN_MEMORY = ["tmpfs", "ramfs", "devtmpfs"];
/** Closed to the service by ProtectHome=. */
const HOMES = ["/root/", "/home/", "/run/user/"];

/**
 * Says why a file at that path (without symbolic links) will not be there after a boot; undefined: it will.
 * `mountInfo` is the text of /proc/self/mountinfo. A root that is in memory as a whole is its administrator's
 * business.
 */
export function whyVolatile(path: string, mountInfo: string): string | undefined {
  const folder = TEMPORARY.find((prefix) => path.startsWith(prefix));
  if (folder !== undefined) return `${folder.slice(0, -1)} does not survive a boot`;
  const { point, type } = findMount(path, mountInfo);
  return point !== "/" && IN_MEMORY.includes(type) ? `${point} is in memory (${type})` : undefined;
}

/** Tells whether a path is in somebody's home. */
export function isInHome(path: string): boolean {
  return HOMES.some((prefix) => path.startsWith(prefix));
}

/** The mount that holds the path: the longest mount point, of equal ones the last. */
function findMount(path: string, mountInfo: string): { point: string; type: string } {
  let found = { point: "/", type: "" };
  for (const line of mountInfo.split("\n")) {
    // proc(5): 36 35 98:0 /root-in-fs /mount-point options [optional fields] - type source options
    const fields = line.split(" ");
    const separator = fields.indexOf("-");
    if (separator < 0) continue;
    const point = fields[4].replaceAll(
      /\\([0-7]{3})/g,
      (_, octal) => String.fromCharCode(parseInt(octal, 8)),
    );
    const holds = point === "/" || path === point || path.startsWith(`${point}/`);
    if (holds && point.length >= found.point.length) found = { point, type: fields[separator + 1] };
  }
  return found;
}
