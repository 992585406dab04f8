/**
 * Where the program's own files are: in memory or on flash, and how much room is left there. Pure, but for reading.
 * @module
 */
import { hex } from "../../net/hex.ts";
import { type Finding, warning, works } from "../finding.ts";

// linux/magic.h
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0x01021994: "tmpfs",
  0x858458f6: "ramfs",
  0xef53: "ext4",
  0x24051905: "ubifs",
  0x72b6: "jffs2",
  0x73717368: "squashfs",
  0x794c7630: "overlay",
  0xf2f52010: "f2fs",
  0x9123683e: "btrfs",
  0x58465342: "xfs",
};
const MEMORY: readonly string[] = ["tmpfs", "ramfs"];
/** What V8 keeps of compiled code, and what a log line or a lock needs. */
const SPARE_BYTES = 4 * 1024 ** 2;
const MIB = 1024 ** 2;

/** A directory's file system. */
export interface FileSystem {
  /** f_type of statfs(2). */
  readonly type: number;
  readonly freeBytes: number;
}

/** Where something of the program is. */
export interface ProgramPlace {
  readonly path: string;
  readonly fileSystem: FileSystem;
}

/** What is known of the program's files. */
export interface ProgramPlaces {
  /** The runtime and the program, 100 MB of them. */
  readonly program: ProgramPlace | undefined;
  /** Where compiled code is kept (DENO_DIR). */
  readonly compiled: ProgramPlace | undefined;
}

/** Paths of this program, where it is a single file or of a package. */
export interface ProgramPaths {
  /** The runtime that runs, by a path that leads there (/proc/self/exe), and what to call the place. */
  readonly program?: { readonly path: string; readonly name: string };
  /** Where compiled code is kept. */
  readonly compiled?: string;
}

/** Reads it; `statfs` throws. */
export function readPlaces(
  { program, compiled }: ProgramPaths,
  statfs: (path: string) => FileSystem,
): ProgramPlaces {
  const look = (path: string, name: string): ProgramPlace | undefined => {
    try {
      return { path: name, fileSystem: statfs(path) };
    } catch {
      return undefined;
    }
  };
  return {
    program: program && look(program.path, program.name),
    compiled: compiled === undefined ? undefined : look(compiled, compiled),
  };
}

/** Findings. */
export function judgePlaces({ program, compiled }: ProgramPlaces): Finding[] {
  return [
    ...program === undefined ? [] : [judgeProgram(program)],
    ...compiled === undefined ? [] : judgeCompiled(compiled),
  ];
}

function judgeProgram({ path, fileSystem }: ProgramPlace): Finding {
  const id = "program-place";
  const what = `the program's files: ${describe({ path, fileSystem })}`;
  if (!MEMORY.includes(nameOf(fileSystem))) return works(id, what);
  return warning(id, {
    what,
    cause:
      "They are in memory: what the program takes there no other program can have, and a restart unpacks it again",
    remedy:
      "Set TPROXY_CACHE_DIR to a directory on flash or disk, or install the package, which unpacks nothing",
  });
}

/** Where nothing can be written at all, compiled code has come with the program. */
function judgeCompiled(place: ProgramPlace): Finding[] {
  const { fileSystem } = place;
  const id = "compiled-code";
  const what = `room for compiled code: ${describe(place)}`;
  if (nameOf(fileSystem) === "squashfs") return [];
  if (fileSystem.freeBytes >= SPARE_BYTES) return [works(id, what)];
  return [warning(id, {
    what,
    cause:
      "The file system is full: V8 cannot keep what it has compiled, each start takes longer and 30 MB more memory",
    remedy: `Free ${SPARE_BYTES / MIB} MiB there, or set TPROXY_CACHE_DIR to a place with more room`,
  })];
}

function describe({ path, fileSystem }: ProgramPlace): string {
  return `${path} (${nameOf(fileSystem)}, ${Math.floor(fileSystem.freeBytes / MIB)} MiB free)`;
}

function nameOf({ type }: FileSystem): string {
  return FILE_SYSTEMS[type] ?? `file system ${hex(type)}`;
}
