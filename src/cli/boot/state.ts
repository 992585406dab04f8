/**
 * The start at boot as this machine has it now.
 * @module
 */
import { MANAGERS } from "../../boot/managers.ts";
import type { BootSettings, ServiceManager } from "../../boot/model.ts";
import { readSeal, type Seal } from "../../boot/seal.ts";
import type { Env } from "../env.ts";
import type { Files } from "../files.ts";

/**
 * Owner of a file: install made it and nobody has changed it, install made it and somebody has, a package, or
 * somebody else.
 */
export type Owner = "ours" | "changed" | "package" | "foreign";

/** A file of the start at boot that is there. */
export interface FoundFile {
  readonly path: string;
  readonly text: string;
  readonly owner: Owner;
  /** Absent where it is somebody else's. */
  readonly seal?: Seal;
  /** Folders that go with it where they are empty then. */
  readonly folders: readonly string[];
}

/** Files of one service manager on this machine. */
export interface FoundBoot {
  readonly manager: ServiceManager;
  readonly files: readonly FoundFile[];
  /** The file that counts, and is not somebody else's; undefined: there is none. */
  readonly service: FoundFile | undefined;
  readonly enabled: boolean;
  /** The manager runs, and can be asked. */
  readonly live: boolean;
}

/** Settings that make every file that there can be; only the paths matter. */
const ANY: BootSettings = { binary: "/", drainSeconds: 0, mark: 0, backend: "netlink" };

/** Everything that there is; a manager with nothing of ours is left out. */
export function findBoot({ files }: Pick<Env, "files">): FoundBoot[] {
  return MANAGERS.map((manager) => lookAt(manager, files))
    .filter(({ files }) => files.some(({ owner }) => owner !== "foreign"));
}

/** Finds the files of one manager, foreign files among them. */
export function lookAt(manager: ServiceManager, files: Files): FoundBoot {
  const possible = manager.files(ANY, () => true);
  const paths = new Set([manager.service, manager.packaged, ...possible.map(({ path }) => path)]);
  const found = [...paths].flatMap((path): FoundFile[] => {
    const text = files.read(path);
    const folders = possible.find((file) => file.path === path)?.folders ?? [];
    return text === undefined ? [] : [{ path, text, folders, ...judge(text, manager) }];
  });
  return {
    manager,
    files: found,
    // In this order: the administrator's file goes before the package's.
    service: [manager.service, manager.packaged]
      .map((path) => found.find((file) => file.path === path && file.owner !== "foreign"))
      .find((file) => file !== undefined),
    enabled: manager.links.some((link) => matchesAny(link, files)),
    live: manager.running.every((path) => files.stat(path) !== undefined),
  };
}

/** One script path serves two managers: a file for the other one is foreign. */
function judge(text: string, manager: ServiceManager): Pick<FoundFile, "owner" | "seal"> {
  const seal = readSeal(text);
  if (seal === undefined || seal.manager !== manager.name) return { owner: "foreign" };
  return { owner: seal.maker === "package" ? "package" : seal.intact ? "ours" : "changed", seal };
}

/** Tells whether a path with a `*` for any one name is there. A link that leads nowhere counts. */
function matchesAny(pattern: string, files: Files): boolean {
  const [folder, rest] = pattern.split("/*/");
  const has = (path: string) => {
    const slash = path.lastIndexOf("/");
    return files.list(path.slice(0, slash)).includes(path.slice(slash + 1));
  };
  return rest === undefined
    ? has(pattern)
    : files.list(folder).some((name) => has(`${folder}/${name}/${rest}`));
}
