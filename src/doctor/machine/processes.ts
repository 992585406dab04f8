/**
 * The processes of this machine: what runs, and who holds a socket. Without root, those of others hide their
 * sockets.
 * @module
 */
import { oneLine } from "../../net/one_line.ts";
import type { MachineFiles } from "./files.ts";

/** A process. */
export interface Process {
  readonly pid: number;
  /** At most 15 characters, as the kernel keeps it. */
  readonly name: string;
  /** Its command line. */
  readonly words: readonly string[];
}

/** Every process of this pid namespace. */
export function listProcesses(files: MachineFiles): Process[] {
  return files.list("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    const name = files.readText(`/proc/${pid}/comm`)?.trim();
    if (name === undefined) return []; // it has ended meanwhile
    const words = (files.readText(`/proc/${pid}/cmdline`) ?? "").split("\0").filter((word) => word !== "");
    // Anybody may give his process any name, and it is root who reads it on a terminal.
    return [{ pid: Number(pid), name: oneLine(name), words: words.map(oneLine) }];
  });
}

/** The processes that hold one of these sockets, which /proc/net names by inode. */
export function findHolders(
  files: MachineFiles,
  processes: readonly Process[],
  inodes: readonly string[],
): Process[] {
  const links = inodes.map((inode) => `socket:[${inode}]`);
  if (links.length === 0) return [];
  return processes.filter(({ pid }) =>
    files.list(`/proc/${pid}/fd`).some((fd) => links.includes(files.readLink(`/proc/${pid}/fd/${fd}`) ?? ""))
  );
}

/** Tells whether it is this program: the single file, its bundle, or the source. */
export function isTproxy({ words }: Process): boolean {
  return words.some((word) => /(^|\/)(tproxy(\.js)?|src\/cli\/entry\.ts)$/.test(word));
}

/** `dnsmasq (pid 812)`. */
export function describeProcess({ name, pid }: Process): string {
  return `${name} (pid ${pid})`;
}
