/**
 * A start at boot: the settings, the files, and the demands on a service manager. Pure.
 * @module
 */

/** Settings from which the files of every service manager are made. */
export interface BootSettings {
  /** The program: an absolute path. */
  readonly binary: string;
  /**
   * The config that the command line named, an absolute path; absent: the usual one, or built-in defaults.
   */
  readonly config?: string;
  /** The directory into which the program unpacks, an absolute path; absent: the usual one. */
  readonly cache?: string;
  /** `timeouts.drain` in seconds, rounded up. */
  readonly drainSeconds: number;
  /** `kernel.mark`: the bits that packets to the proxy carry. */
  readonly mark: number;
  /** `kernel.backend`: with iptables the proxy writes files of /proc that belong to root. */
  readonly backend: "netlink" | "iptables";
}

/** A file that belongs to the start at boot. */
export interface BootFile {
  readonly path: string;
  readonly mode: number;
  readonly text: string;
  /** Folders that go with it where they are empty then, the innermost first. */
  readonly folders?: readonly string[];
}

/** Names of the service managers, as `--boot` has them. */
export type ManagerName = "systemd" | "openwrt" | "openrc";

/** The words of a command. */
export type Argv = readonly string[];

/** A service manager: how it is known, what it wants to have, how it is asked. */
export interface ServiceManager {
  readonly name: ManagerName;
  /** All of them are there where it runs. */
  readonly running: readonly string[];
  /** One of them is there where it is installed. */
  readonly installed: readonly string[];
  /** The file that starts the program. */
  readonly service: string;
  /** The place of that file in a package; the same path: a package's file and ours exclude each other. */
  readonly packaged: string;
  /** The proxy runs as a user of its own, who must be able to read program and config. */
  readonly ownUser: boolean;
  /** Every file; `has` tells whether a path is there on this machine. Not sealed yet. */
  files(settings: BootSettings, has: (path: string) => boolean): BootFile[];
  /** Makes a manager that runs read its files again, where it does not do so by itself. */
  readonly reload: readonly Argv[];
  /** Asks that it be started at boot. */
  readonly enable: Argv;
  /** Takes that back. */
  readonly disable: Argv;
  /** Ends the proxy; live connections may end within `timeouts.drain`. */
  readonly stop: Argv;
  /** The command with which the administrator starts it. */
  readonly startWith: string;
  /** Links that say that it is enabled; a `*` stands for anything in one name. */
  readonly links: readonly string[];
}

/** Tells whether two settings make the same files, wherever the program unpacks. */
export function sameSettings(one: BootSettings, other: BootSettings): boolean {
  return one.binary === other.binary && one.config === other.config &&
    one.drainSeconds === other.drainSeconds &&
    one.mark === other.mark && one.backend === other.backend;
}
