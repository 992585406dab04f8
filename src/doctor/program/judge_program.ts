/**
 * Judgement of the machine as a place for the program itself, before any packet: /proc apart, which all else
 * needs.
 * @module
 */
import { statfsSync } from "node:fs";
import type { MachineFiles } from "../machine/files.ts";
import type { Finding } from "../finding.ts";
import type { Process } from "../machine/processes.ts";
import { judgeAddressSpace, readAddressSpace } from "./address_space.ts";
import { judgePlaces, type ProgramPaths, readPlaces } from "./cache_room.ts";
import { judgePlatform, readPlatform } from "./page_size.ts";

/** All findings of it. `listeners` may be the proxy that runs. */
export function judgeProgram(
  files: MachineFiles,
  listeners: readonly Process[],
  paths: ProgramPaths,
): Finding[] {
  return [
    ...judgePlatform(readPlatform(files), Deno.build.arch),
    ...judgeAddressSpace(readAddressSpace(files, listeners)),
    ...judgePlaces(readPlaces(paths, (path) => {
      const { type, bavail, bsize } = statfsSync(path);
      return { type, freeBytes: bavail * bsize };
    })),
  ];
}
