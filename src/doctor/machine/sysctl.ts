/**
 * Sysctls: their values, and who set them as far as the machine tells.
 * @module
 */
import type { MachineFiles } from "./files.ts";

/** man sysctl.d, and what Debian's and OpenWrt's init and ufw read. */
const DIRECTORIES = [
  "/etc/sysctl.d",
  "/run/sysctl.d",
  "/usr/local/lib/sysctl.d",
  "/usr/lib/sysctl.d",
  "/lib/sysctl.d",
];
const FILES = ["/etc/sysctl.conf", "/etc/ufw/sysctl.conf"];

/** A sysctl as the kernel has it. */
export interface Sysctl {
  /** With dots: `net.ipv4.ip_forward`. */
  readonly name: string;
  /** undefined where the kernel has none of that name. */
  readonly value: string | undefined;
  /** Files that set it to this value. */
  readonly setBy: readonly string[];
}

/** Reads a sysctl, and who sets it. Names with dots; an interface with dots in its name has slashes there. */
export function readSysctl(files: MachineFiles, name: string): Sysctl {
  const value = files.readText(sysctlPath(name))?.trim();
  return { name, value, setBy: value === undefined ? [] : findSetters(files, { name, value }) };
}

/** sysctl(8) exchanges dots and slashes. */
function sysctlPath(name: string): string {
  return `/proc/sys/${exchange(name)}`;
}

function exchange(name: string): string {
  return name.replaceAll(/[./]/g, (character) => character === "." ? "/" : ".");
}

function findSetters(files: MachineFiles, { name, value }: { name: string; value: string }): string[] {
  const paths = [
    ...DIRECTORIES.flatMap((directory) => files.list(directory).map((file) => `${directory}/${file}`))
      .filter((path) => path.endsWith(".conf")),
    ...FILES,
  ];
  const setters = paths.filter((path) => sets(files.readText(path) ?? "", { name, value }));
  // /lib may be a link to /usr/lib.
  return setters.filter((path) => !(path.startsWith("/lib/") && setters.includes(`/usr${path}`)));
}

/** Tells whether a file in the format of sysctl.d has a line `name = value`. */
export function sets(text: string, wanted: { name: string; value: string }): boolean {
  return text.split("\n").some((line) => {
    const match = /^\s*-?([^#;=\s]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (match === null || match[2] !== wanted.value) return false;
    // Where the first separator is a slash, slashes separate.
    const separator = /[./]/.exec(match[1])?.[0];
    const name = separator === "/" ? exchange(match[1]) : match[1];
    return matchesGlob(name, wanted.name);
  });
}

function matchesGlob(pattern: string, name: string): boolean {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^.]*");
  return new RegExp(`^${escaped}$`).test(name);
}

/**
 * Names the cause of a value: the file, else programs that are known for it and run here, else `otherwise`.
 */
export function blame(
  setting: Sysctl,
  options: { programs: readonly string[]; suspects: readonly string[]; otherwise: string },
): string {
  if (setting.setBy.length > 0) return `set in ${setting.setBy.join(", ")}`;
  const running = options.suspects.filter((name) => options.programs.includes(name));
  return running.length > 0 ? `perhaps set by ${running.join(" or ")}, which runs here` : options.otherwise;
}
