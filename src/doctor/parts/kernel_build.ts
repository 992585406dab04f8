/**
 * The build of the running kernel, its modules that are installed and loaded, and whether it can load more.
 * @module
 */
import type { MachineFiles } from "../machine/files.ts";
import { type ModuleFiles, readModuleFiles } from "./module_files.ts";
import { type ModuleLoading, readModuleLoading } from "./module_loading.ts";

/** The known parts of the build. */
export interface KernelBuild {
  /** The text of its configuration, as /proc/config.gz has it; undefined where it is not told. */
  readonly config: string | undefined;
  /** The file of the configuration. */
  readonly configPath: string;
  /** The directory of the modules of this kernel, there or not. */
  readonly modulesPath: string;
  /** Modules of other kernels are installed, and none of this one. */
  readonly otherModules: readonly string[];
  readonly modules: ModuleFiles;
  readonly loading: ModuleLoading;
}

/** Reads what the machine tells of the kernel called `release` (uname -r). */
export async function readKernelBuild(files: MachineFiles, release: string): Promise<KernelBuild> {
  const modulesPath = `/lib/modules/${release}`;
  const inProc = await gunzip(files.readBytes("/proc/config.gz"));
  const configPath = inProc === undefined ? `/boot/config-${release}` : "/proc/config.gz";
  const installed = files.list("/lib/modules");
  return {
    config: inProc ?? files.readText(configPath),
    configPath,
    modulesPath,
    otherModules: installed.includes(release) ? [] : installed,
    modules: readModuleFiles(files, modulesPath),
    loading: readModuleLoading(files),
  };
}

async function gunzip(bytes: Uint8Array<ArrayBuffer> | undefined): Promise<string | undefined> {
  if (bytes === undefined) return undefined;
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return await new Response(stream).text();
  } catch {
    return undefined; // cut short
  }
}

/** Returns the value of a symbol of the configuration; undefined where it is not known. */
export function readSymbol(symbol: string, { config }: KernelBuild): "y" | "m" | "n" | undefined {
  if (config === undefined) return undefined;
  const value = new RegExp(`^CONFIG_${symbol}=([ym])$`, "m").exec(config)?.[1];
  return (value as "y" | "m" | undefined) ?? "n";
}
