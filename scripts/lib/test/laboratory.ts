/**
 * Steps of the laboratory's tests.
 * @module
 */
import { readdirSync } from "node:fs";
import { DENO, type Step } from "./step.ts";

const FOLDER = new URL("../../../tests/lab/", import.meta.url);
const COMMAND = [DENO, "test", "-A", "--no-check"];

/**
 * Laboratory tests that measure time, processor time or memory closely: each has the machine to itself.
 */
const MEASURING = [
  "control/connections",
  "control/silence",
  "daemon/memory",
  "dataplane/list_reload",
  "names/waits",
  "router/failure",
  "rules/lists",
  "tcp/limits",
  "tcp/shares",
  "tools/completion",
  "udp/heap",
  "udp/programs",
  "udp/sessions",
  "upgrade/upgrade",
  "watch/watch",
].map((name) => `tests/lab/${name}_test.ts`);

/** Tests that are run again with iptables: install, uninstall, and each way that packets take. */
const OF_THE_BACKEND = [
  "install/install",
  "install/rules",
  "install/uninstall",
  "install/status",
  "path/path",
  "udp/path",
  "path/port_forward",
].map((name) => `tests/lab/${name}_test.ts`);

/** Tests that are run again with `admission: early`: of each subject some. */
const OF_THE_ADMISSION = ["install/install", "path/path", "tcp/tcp", "udp/udp", "udp/icmp", "router/traffic"]
  .map((name) => `tests/lab/${name}_test.ts`);

/**
 * All laboratory tests; and unless a backend is asked for, some again with the other admission, and with each
 * kind of iptables.
 */
export function planLaboratory(env: Record<string, string>): Step[] {
  const all: Step[] = [
    sideBySide({ env, title: "laboratory tests", files: laboratoryFiles(), minutes: 50 }),
    {
      title: "laboratory tests that measure",
      argv: [...COMMAND, ...MEASURING],
      minutes: 25,
      countsTests: true,
      secondTry: true,
      env,
    },
  ];
  if (Deno.env.get("TPROXY_LAB_BACKEND") !== undefined) return all;
  const again = (title: string, variant: Record<string, string>, files: readonly string[]) =>
    sideBySide({ env: { ...env, ...variant }, title: `laboratory tests, ${title}`, files, minutes: 15 });
  return [
    ...all,
    again("admission: early", { TPROXY_LAB_ADMISSION: "early" }, OF_THE_ADMISSION),
    again("iptables-nft", { TPROXY_LAB_BACKEND: "iptables-nft" }, OF_THE_BACKEND),
    again("iptables-legacy", { TPROXY_LAB_BACKEND: "iptables-legacy" }, OF_THE_BACKEND),
  ];
}

/** The laboratory's files of tests but those that measure, the longest first: they take the most time. */
function laboratoryFiles(): string[] {
  return readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
    .map((name) => ({ path: `tests/lab/${name}`, size: Deno.statSync(new URL(name, FOLDER)).size }))
    .filter(({ path }) => path.endsWith("_test.ts") && !MEASURING.includes(path))
    .sort((a, b) => b.size - a.size || (a.path < b.path ? -1 : 1))
    .map(({ path }) => path);
}

/** The tests whose names `filter` is part of, or matches. */
export function planChosen(filter: string): Step {
  return {
    title: "laboratory tests",
    argv: [...COMMAND, "--filter", filter, "tests/lab"],
    minutes: 58,
    countsTests: true,
  };
}

function sideBySide(
  options: { title: string; env: Record<string, string>; files: readonly string[]; minutes: number },
): Step {
  const { title, minutes, env } = options;
  return {
    title,
    argv: COMMAND,
    sideBySide: options.files,
    minutes,
    countsTests: true,
    secondTry: true,
    env,
  };
}
