/**
 * The modules that are loaded, and obstacles to loading more.
 * @module
 */
import type { MachineFiles } from "../machine/files.ts";
import { moduleName } from "./module_files.ts";

/** man modprobe.d */
const DIRECTORIES = ["/etc/modprobe.d", "/run/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d"];

/** Files by which a container is known: of Docker, of Podman, of systemd-nspawn and LXC. */
const CONTAINER_FILES = ["/.dockerenv", "/run/.containerenv", "/run/systemd/container"];

/** The loading of modules into the kernel. */
export interface ModuleLoading {
  /** Names of modules that are loaded; what is compiled in is not among them. */
  readonly loaded: ReadonlySet<string>;
  /** kernel.modules_disabled = 1: none can be loaded any more until the machine starts anew. */
  readonly disabled: boolean;
  /** The program that the kernel calls for one (kernel.modprobe); the empty string: none. */
  readonly program: string;
  /** Set where that program is there, as far as it can be told from here. */
  readonly programFound: boolean;
  /**
   * Files of modprobe.d that keep a module from being loaded, by its name: `"/etc/modprobe.d/x.conf:
   * blacklist nft_tproxy"`.
   */
  readonly forbidden: ReadonlyMap<string, string>;
  /** This is a container, whose kernel is that of another system. */
  readonly container: boolean;
}

/** Reads it. */
export function readModuleLoading(files: MachineFiles): ModuleLoading {
  const program = files.readText("/proc/sys/kernel/modprobe")?.trim() ?? "/sbin/modprobe";
  return {
    loaded: new Set((files.readText("/proc/modules") ?? "").split("\n").map((line) => line.split(" ")[0])),
    disabled: files.readText("/proc/sys/kernel/modules_disabled")?.trim() === "1",
    program,
    programFound: isThere(files, program),
    forbidden: readForbidden(files),
    container: CONTAINER_FILES.some((path) => files.readText(path) !== undefined),
  };
}

function isThere(files: MachineFiles, path: string): boolean {
  const slash = path.lastIndexOf("/");
  return slash > 0 && files.list(path.slice(0, slash)).includes(path.slice(slash + 1));
}

/**
 * `blacklist NAME` takes a module from what the kernel asks for by an alias; `install NAME /bin/true` from
 * everybody.
 */
function readForbidden(files: MachineFiles): Map<string, string> {
  const found = new Map<string, string>();
  for (const directory of DIRECTORIES) {
    for (const name of files.list(directory).filter((file) => file.endsWith(".conf"))) {
      const path = `${directory}/${name}`;
      for (const line of (files.readText(path) ?? "").split("\n")) {
        const match = /^\s*(?:blacklist\s+(\S+)|install\s+(\S+)\s+\/\S*bin\/(?:true|false)\b)/.exec(line);
        if (match === null) continue;
        const module = moduleName(match[1] ?? match[2]);
        if (!found.has(module)) found.set(module, `${path}: ${line.trim()}`);
      }
    }
  }
  return found;
}
