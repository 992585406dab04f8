/**
 * The machine in some lines: kernel, distribution, board, memory.
 * @module
 */
import type { Env } from "../env.ts";
import { readOrEmpty } from "../read_or_empty.ts";

/** Files that tell, and the lines of them that do. */
const SOURCES: readonly { label: string; path: string; pattern: RegExp }[] = [
  { label: "kernel", path: "/proc/version", pattern: /^Linux version (\S+)/ },
  { label: "system", path: "/etc/os-release", pattern: /^PRETTY_NAME="?([^"\n]*)/m },
  { label: "OpenWrt", path: "/etc/openwrt_release", pattern: /^DISTRIB_DESCRIPTION='?([^'\n]*)/m },
  { label: "target", path: "/etc/openwrt_release", pattern: /^DISTRIB_TARGET='?([^'\n]*)/m },
  { label: "board", path: "/tmp/sysinfo/model", pattern: /^(.+)/ },
  { label: "board", path: "/proc/device-tree/model", pattern: /^([^\0\n]+)/ },
  { label: "memory", path: "/proc/meminfo", pattern: /^MemTotal:\s+(.+)/m },
  { label: "available", path: "/proc/meminfo", pattern: /^MemAvailable:\s+(.+)/m },
];

/** Describes it; what is not there has no line. */
export function describeMachine(env: Env): string {
  const found = new Map<string, string>();
  for (const { label, path, pattern } of SOURCES) {
    const value = pattern.exec(readOrEmpty(env, path))?.[1]?.trim();
    if (value !== undefined && !found.has(label)) found.set(label, value);
  }
  found.set("processors", String(navigator.hardwareConcurrency));
  return [...found].map(([label, value]) => `${label}: ${value}\n`).join("");
}

/** The machine's name. */
export function hostNameOf(env: Env): string {
  return readOrEmpty(env, "/proc/sys/kernel/hostname").trim();
}
