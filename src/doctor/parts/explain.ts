/**
 * The reason why the kernel lacks a part: not compiled in, its module or one that this needs not installed,
 * or only not loaded; and what to do about it. Pure.
 * @module
 */
import { findPart, namePart } from "../../kernel/parts.ts";
import type { MissingPart } from "../finding.ts";
import { type KernelBuild, readSymbol } from "./kernel_build.ts";

/** A part that is missing, why, and what to do. */
export interface Explanation {
  /** The module at the bottom of it: the one that was asked for, or one that it needs. */
  readonly part: MissingPart;
  readonly cause: string;
  readonly remedy: string;
}

/** Explains why the kernel refuses what a module does. */
export function explainMissing(module: string, build: KernelBuild): Explanation {
  const { modules, loading } = build;
  const path = modules.paths.get(module);
  if (loading.loaded.has(module)) return explainRefusal(module);
  if (path === undefined) return { part: describePart(module), ...explainAbsent(module, build) };
  const isIn = (name: string) => loading.loaded.has(name) || modules.builtIn.has(name);
  const needed = (modules.needs.get(module) ?? []).filter((name) => !isIn(name));
  // The last of them is what all others need.
  const absent = needed.findLast((name) => !modules.paths.has(name));
  if (absent === undefined) {
    return { part: describePart(module), ...explainNotLoaded(module, { path, needed, build }) };
  }
  const { cause, remedy } = explainAbsent(absent, build);
  return { part: describePart(absent), cause: `${cause}; ${module} needs it`, remedy };
}

function describePart(module: string): MissingPart {
  const part = findPart(module);
  if (part === undefined) return { module };
  return { module, config: `CONFIG_${part.symbol}`, openWrtPackage: part.openWrtPackage };
}

/** nf_tables may be there without the family inet. */
function explainRefusal(module: string): Explanation {
  if (module === "nf_tables") {
    return {
      part: { config: "CONFIG_NF_TABLES_INET" },
      cause: "nf_tables is loaded, and refuses tables of family inet: this kernel is built without " +
        "CONFIG_NF_TABLES_INET",
      remedy: "Use a kernel with CONFIG_NF_TABLES_INET; it is never a module",
    };
  }
  return {
    part: describePart(module),
    cause: `${namePart(module)} is loaded, and the kernel refuses it all the same`,
    remedy: "See dmesg; is the module that of the kernel that runs?",
  };
}

/** Explains that there is no file of the module. */
function explainAbsent(module: string, build: KernelBuild): { cause: string; remedy: string } {
  const { configPath, modulesPath, loading, otherModules } = build;
  const part = findPart(module);
  const name = namePart(module);
  const openWrt = part === undefined ? "" : `; on OpenWrt install ${part.openWrtPackage}`;
  if (loading.container) {
    return {
      cause: `The kernel of this container's host lacks ${name}, or has not loaded it`,
      remedy: `On the host, try "modprobe ${module}"${openWrt}`,
    };
  }
  switch (part && readSymbol(part.symbol, build)) {
    case "n":
      return {
        cause: `This kernel lacks ${name}: it is not set in ${configPath}, so it is not compiled in`,
        remedy: `Use a kernel with CONFIG_${part!.symbol}${openWrt}`,
      };
    case "y":
      return {
        cause: `This kernel refuses ${name}, which ${configPath} has as compiled in`,
        remedy: "Is that the configuration of the kernel that runs? Restart after an update of the kernel",
      };
    case "m":
    case undefined:
  }
  if (otherModules.length > 0) {
    return {
      cause:
        `This kernel lacks ${name}, and none of its modules are installed (${modulesPath}), but those of ` +
        otherModules.join(", "),
      remedy: "Was the kernel updated since it started? Then restart this machine",
    };
  }
  const known = part !== undefined && build.config !== undefined;
  return {
    cause: `This kernel lacks ${name}` +
      (known ? `: it is a module (${configPath}), and ${modulesPath} does not have it` : ""),
    remedy: known
      ? `Install the modules of this kernel, then "modprobe ${module}"${openWrt}`
      : `Try "modprobe ${module}"${openWrt}`,
  };
}

/** The module and all that it needs is installed, and the kernel has not loaded it when it was asked. */
function explainNotLoaded(
  module: string,
  { path, needed, build }: { path: string; needed: readonly string[]; build: KernelBuild },
): { cause: string; remedy: string } {
  const { loading, modules } = build;
  const is = `${namePart(module)} is not loaded; its module is there (${path})`;
  if (loading.disabled) {
    return {
      cause: `${is}, but this kernel takes no modules any more (kernel.modules_disabled = 1)`,
      remedy:
        `Have "${module}" loaded at boot before that is set: a line in /etc/modules-load.d/tproxy.conf, on ` +
        "OpenWrt in /etc/modules.d/tproxy; then restart",
    };
  }
  const forbidden = [module, ...needed].map((name) => loading.forbidden.get(name))
    .find((line) => line !== undefined);
  if (forbidden !== undefined) {
    return {
      cause: `${is}, but it may not be loaded (${forbidden})`,
      remedy: `Remove that line, or load it all the same: "modprobe ${module}"`,
    };
  }
  if (modules.unlisted.has(module)) {
    return {
      cause: `${is}, but modules.dep does not list it`,
      remedy: `Run "depmod -a", then "modprobe ${module}"`,
    };
  }
  if (!loading.programFound) {
    const files = [...needed.toReversed(), module].flatMap((name) => modules.paths.get(name) ?? []);
    return {
      cause: loading.program === ""
        ? `${is}, and the kernel does not load modules by itself (kernel.modprobe is empty)`
        : `${is}, and the program that the kernel calls to load it is not (${loading.program})`,
      remedy: `Load it at boot and now: ${files.map((file) => `"insmod ${file}"`).join(", ")}`,
    };
  }
  return { cause: `${is}, and the kernel does not load it`, remedy: `Try "modprobe ${module}": it says why` };
}
