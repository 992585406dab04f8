/**
 * Words of the commands about the start at boot.
 * @module
 */
import { FW4_RELOAD, isFw4File } from "../../boot/fw4.ts";
import type { BootPlan } from "./plan.ts";
import type { BootStatus } from "./status.ts";

/** Lines after an install: what was written, and what to type next. `running`: a proxy runs already. */
export function describeBoot(plan: BootPlan, { running }: { running: boolean }): string {
  const { manager, writes, unchanged, left, packaged } = plan;
  const next = [
    ...(writes.some(({ path }) => isFw4File(path)) ? [FW4_RELOAD] : []),
    ...(running ? [] : [manager.startWith]),
  ];
  return [
    `Started at boot by ${manager.name}.`,
    ...writes.map(({ path }) => `  written    ${path}`),
    ...unchanged.map((path) => `  unchanged  ${path}`),
    ...left.map((path) => `  left       ${path} (it has been changed by hand; --force writes over it)`),
    ...(packaged ? [`  unchanged  ${manager.packaged} (of the package)`] : []),
    `  enabled    ${manager.enable.join(" ")}`,
    ...next.map((command) => `  next       ${command}`),
    ...(running
      ? [
        `  next       ${manager.startWith}, after the proxy that runs now has been ended (or at the next boot)`,
      ]
      : []),
    "",
  ].join("\n");
}

/** Lines of `status`. */
export function describeBootStatus(boots: readonly BootStatus[]): string {
  if (boots.length === 0) return 'boot: not started at boot ("tproxy install --boot auto" sets that up)\n';
  return boots.map(({ manager, enabled, files }) => {
    const notes = files.filter(({ state }) => state !== "present")
      .map(({ path, state, detail }) =>
        `boot: ${path}: ${state}${detail === undefined ? "" : ` (${detail})`}\n`
      );
    const paths = files.filter(({ state }) => state === "present").map(({ path }) => path);
    const what = paths.length === 0 ? "" : ` (${paths.join(", ")})`;
    return `boot: ${manager}, ${enabled ? "enabled" : "not enabled"}${what}\n${notes.join("")}`;
  }).join("");
}
