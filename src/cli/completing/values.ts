/**
 * Values for a shell to complete: interfaces, devices, and names in the config. A file that cannot be read
 * completes nothing, and nothing is said: somebody is typing.
 * @module
 */
import { DEFAULT_CONFIG_PATH } from "../../constants.ts";
import type { ValueKind } from "../arguments/known_value.ts";
import type { Env } from "../env.ts";
import { readOrEmpty } from "../read_or_empty.ts";

/** Lists them. `words`: the command line, in which `-c` may name a config. */
export async function listValues(
  env: Env,
  kind: ValueKind,
  words: readonly string[],
): Promise<readonly string[]> {
  if (kind === "interface") return listInterfaces(env);
  if (kind === "device") return await listDevices(env);
  const { readWrittenNames } = await import("../../config/written_names.ts");
  const option = words.findIndex((word) => word === "-c" || word === "--config");
  const text = readOrEmpty(env, option < 0 ? DEFAULT_CONFIG_PATH : words[option + 1] ?? "");
  const { rules, upstreams } = readWrittenNames(text);
  return kind === "rule" ? [...rules, "default"] : upstreams;
}

/** Devices have chosen their names, and a shell would run what is in some: only plain ones are offered. */
const PLAIN_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

async function listDevices(env: Env): Promise<string[]> {
  const { NAME_FILES, readNames } = await import("../../daemon/control/devices/names.ts");
  const names = { byAddress: new Map<string, string>(), byMac: new Map<string, string>() };
  for (const [path, form] of NAME_FILES) readNames(readOrEmpty(env, path), form, names);
  const all = new Set([...names.byAddress.values(), ...names.byMac.values()]);
  return [...all].filter((name) => PLAIN_NAME.test(name));
}

/** Reads /proc/net/dev: two lines of a head, then one for each. */
function listInterfaces(env: Env): string[] {
  const lines = readOrEmpty(env, "/proc/net/dev").split("\n").slice(2);
  return lines.flatMap((line) => /^\s*([^\s:]+):/.exec(line)?.slice(1, 2) ?? []);
}
