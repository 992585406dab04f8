/**
 * The memory of what a sysctl was before a proxy has changed it, in a file of each proxy: it outlives one
 * that is killed, but not the boot. It is of one network namespace, as the sysctl is.
 * @module
 */
import { AF_INET, SO_NETNS_COOKIE, SOCK_DGRAM, SOL_SOCKET } from "../../../ffi/consts.ts";
import { closeFd, openNonBlocking } from "../../../ffi/sockets/socket.ts";
import { getBytes } from "../../../ffi/sockets/sockopt.ts";
import {
  listRunFiles,
  makeRunDirectory,
  orNothing,
  removeRunFile,
  runFile,
  writeRunFile,
} from "../run_directory.ts";

/** Note of a proxy. */
interface Note {
  readonly boot: string;
  /** Its process, and since when that runs: numbers of processes come again. */
  readonly pid: number;
  readonly started: string;
  readonly before: string;
}

/** Memory that all proxies of this network namespace have left. */
export interface Memory {
  /** The value before the first of them; undefined: nobody has left anything. */
  readonly before: string | undefined;
  /** Set where this process has left something. */
  readonly noted: boolean;
  /** Set where another one of them still runs. */
  readonly used: boolean;
}

/** Reads it. */
export function recall(): Memory {
  const notes = readNotes();
  return {
    before: notes[0]?.note.before,
    noted: notes.some(({ note }) => isOwn(note)),
    used: notes.some(({ note }) => isAlive(note) && !isOwn(note)),
  };
}

/** Writes it down for this process, if it can, and takes over what those that were killed have left. */
export function remember(before: string): void {
  forgetEarlierBoots();
  const note: Note = { boot: bootId(), pid: Deno.pid, started: startOf(Deno.pid), before };
  makeRunDirectory();
  if (writeRunFile(`${prefix()}${Deno.pid}`, note)) forgetThose((note) => !isAlive(note));
}

/** Removes what this process has written, and what those that were killed have left. */
export function forget(): void {
  forgetThose((note) => isOwn(note) || !isAlive(note));
}

/**
 * Removes notes of earlier boots, of all namespaces, where the directory outlives them. Nobody can tell that
 * another namespace of this boot is gone: a mount or descriptor that is not seen here may keep it.
 */
function forgetEarlierBoots(): void {
  const boot = bootId();
  for (const name of listRunFiles()) {
    if (!/^early-demux-\d+-\d+$/.test(name)) continue;
    const note = readNote(name);
    if (boot !== "" && note !== undefined && note.boot !== "" && note.boot !== boot) removeRunFile(name);
  }
}

function forgetThose(chosen: (note: Note) => boolean): void {
  for (const { name, note } of readNotes()) if (chosen(note)) removeRunFile(name);
}

function readNotes(): { name: string; note: Note }[] {
  const boot = bootId();
  const start = prefix();
  return listRunFiles().filter((name) => name.startsWith(start) && /\d$/.test(name)).flatMap((name) => {
    const note = readNote(name);
    return note?.boot === boot ? [{ name, note }] : [];
  });
}

function readNote(name: string): Note | undefined {
  return orNothing(() => JSON.parse(Deno.readTextFileSync(runFile(name))) as Note);
}

/** The kernel never gives a cookie of a network namespace to another one, as it does with inodes. */
function prefix(): string {
  return `early-demux-${namespaceCookie()}-`;
}

function namespaceCookie(): string {
  const cookie = new BigUint64Array(1);
  const fd = openNonBlocking(AF_INET, SOCK_DGRAM);
  if (fd < 0) return "0";
  const length = getBytes(fd, SOL_SOCKET, SO_NETNS_COOKIE, new Uint8Array(cookie.buffer));
  closeFd(fd);
  return length === 8 ? `${cookie[0]}` : "0"; // before Linux 5.14
}

function bootId(): string {
  return orNothing(() => Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim()) ?? "";
}

function isOwn({ pid }: Note): boolean {
  return pid === Deno.pid;
}

function isAlive({ pid, started }: Note): boolean {
  return started !== "" && startOf(pid) === started;
}

/** The time of a process's start, in ticks since the boot: the 20th word behind its name. */
function startOf(pid: number): string {
  const stat = orNothing(() => Deno.readTextFileSync(`/proc/${pid}/stat`)) ?? "";
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}
