/**
 * The place of the program's own files: in memory or on flash, and how much room is left there. Pure.
 * @module
 */
import { hex } from "../../net/hex.ts";
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import type { FileSystem, MachineFiles } from "../machine/files.ts";
import type { ProgramPaths } from "../machine/program.ts";

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
/** Bytes for compiled code of V8, log lines and locks. */
const SPARE_BYTES = 4 * 1024 ** 2;
const MIB = 1024 ** 2;

/** A place of something of the program. */
export interface ProgramPlace {
  readonly path: string;
  readonly fileSystem: FileSystem;
}

/** Places of the program's files. */
export interface ProgramPlaces {
  /** The runtime and the program, 100 MB of them. */
  readonly program: ProgramPlace | undefined;
  /** The directory of compiled code (DENO_DIR). */
  readonly compiled: ProgramPlace | undefined;
}

/** The check. */
export const programPlace: Check<ProgramPlaces> = {
  id: "program-place",
  read: ({ paths, files }) => readPlaces(paths, files),
  judge: judgePlaces,
};

/** Reads the file systems of both places. */
export function readPlaces({ program, compiled }: ProgramPaths, files: MachineFiles): ProgramPlaces {
  const look = (path: string, name: string): ProgramPlace | undefined => {
    const fileSystem = files.fileSystem(path);
    return fileSystem && { path: name, fileSystem };
  };
  return {
    program: program && look(program.path, program.name),
    compiled: compiled === undefined ? undefined : look(compiled, compiled),
  };
}

/** Makes a finding for each place. */
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

/** Makes no finding where nothing can be written at all: compiled code has come with the program. */
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
