/**
 * How the running kernel was built, and why it lacks a part: not compiled in, its module not installed, or only not
 * loaded.
 * @module
 */
import { KERNEL_PARTS, type KernelModule } from "../../netlink/hint.ts";
import type { MachineFiles } from "./files.ts";

/** What is known of the build. */
export interface KernelBuild {
  /** The text of its configuration, as /proc/config.gz has it; undefined where it is not told. */
  readonly config: string | undefined;
  /** Where the configuration was read. */
  readonly configPath: string;
  /** Where the modules of this kernel are, there or not. */
  readonly modulesPath: string;
  /** Paths of the modules that are installed, as far as they are listed. */
  readonly moduleFiles: readonly string[];
}

/** Reads what the machine tells of the kernel called `release` (uname -r). */
export async function readKernelBuild(files: MachineFiles, release: string): Promise<KernelBuild> {
  const modulesPath = `/lib/modules/${release}`;
  const inProc = await gunzip(files.readBytes("/proc/config.gz"));
  const configPath = inProc === undefined ? `/boot/config-${release}` : "/proc/config.gz";
  // One "path: dependencies" a line. OpenWrt has no such list: all its modules lie in that directory.
  const listed = (files.readText(`${modulesPath}/modules.dep`) ?? "").split("\n")
    .map((line) => line.split(":")[0]);
  return {
    config: inProc ?? files.readText(configPath),
    configPath,
    modulesPath,
    moduleFiles: [...listed, ...files.list(modulesPath)].filter((path) => /\.ko(\.|$)/.test(path))
      .map((path) => path.startsWith("/") ? path : `${modulesPath}/${path}`),
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

/** Why the kernel lacks a part, and what to do. Pure. */
export function explainMissing(module: KernelModule, build: KernelBuild): { cause: string; remedy: string } {
  const { symbol, openWrtPackage } = KERNEL_PARTS[module];
  const load = `Try "modprobe ${module}"`;
  const openWrt = `on OpenWrt install ${openWrtPackage}`;
  const file = findModule(module, build);
  if (file !== undefined) {
    return {
      cause: `CONFIG_${symbol}: its module is there (${file}), and the kernel does not load it`,
      remedy: `${load}: it says why`,
    };
  }
  switch (readSymbol(symbol, build)) {
    case "n":
      return {
        cause: `CONFIG_${symbol} is not set (${build.configPath}): it is not compiled into this kernel`,
        remedy: `Use a kernel with CONFIG_${symbol}; ${openWrt}`,
      };
    case "m":
      return {
        cause: `CONFIG_${symbol}=m (${build.configPath}), and ${build.modulesPath} has no module ${module}`,
        remedy: `Install the modules of this kernel, then "modprobe ${module}"; ${openWrt}`,
      };
    case "y":
      return {
        cause: `CONFIG_${symbol}=y (${build.configPath}), and the kernel refuses it all the same`,
        remedy: "Is that the configuration of the kernel that runs? Restart after an update of the kernel",
      };
    case undefined:
      return { cause: `This kernel lacks ${module} (CONFIG_${symbol})`, remedy: `${load}; ${openWrt}` };
  }
}

function readSymbol(symbol: string, { config }: KernelBuild): "y" | "m" | "n" | undefined {
  if (config === undefined) return undefined;
  const value = new RegExp(`^CONFIG_${symbol}=([ym])$`, "m").exec(config)?.[1];
  return (value as "y" | "m" | undefined) ?? "n";
}

/** Hyphens and underscores are the same in names of modules. */
function findModule(module: string, { moduleFiles }: KernelBuild): string | undefined {
  const name = (path: string) => path.replace(/^.*\//, "").replace(/\.ko.*$/, "").replaceAll("-", "_");
  return moduleFiles.find((path) => name(path) === module);
}
