/**
 * Problems for which no single value is to blame, found in the values as they were written, so that bad files
 * are searched too.
 * @module
 */
import { DEFAULT_CONFIG } from "../defaults.ts";
import type { ConfigProblem } from "../error.ts";
import { nearest } from "../schema/nearest.ts";
import { isMapping } from "../values/values.ts";
import { type ConfigPath, formatPath, type YamlSource } from "../yaml_source.ts";

type Mapping = Readonly<Record<string, unknown>>;
type Add = (path: ConfigPath, text: string) => void;

/** Lists them all. */
export function contradictions(source: YamlSource): ConfigProblem[] {
  const file = mappingOf(source.value);
  const problems: ConfigProblem[] = [];
  const add: Add = (path, text) =>
    problems.push({ ...source.locate(path), text: `${formatPath(path)}: ${text}` });
  const upstreams = Object.keys(mappingOf(file.upstreams));
  const groups = mappingOf(file.groups);
  for (const [section, names] of Object.entries({ upstreams, groups: Object.keys(groups) })) {
    for (const name of names) {
      // Names that mean something to JavaScript get lost on the way; control characters no rule can name.
      if (!/^\P{Cc}+$/u.test(name) || name in {}) add([section, name], "this cannot be a name");
    }
  }
  for (const [name, group] of Object.entries(groups)) {
    if (upstreams.includes(name)) add(["groups", name], "an upstream has this name");
    checkMembers(["groups", name, "members"], mappingOf(group).members, { upstreams, groups, add });
  }
  const targets = [...upstreams, ...Object.keys(groups)];
  checkDefault(file, targets, add);
  checkRules(file, targets, add);
  return problems;
}

function checkMembers(
  path: ConfigPath,
  members: unknown,
  { upstreams, groups, add }: { upstreams: readonly string[]; groups: Mapping; add: Add },
): void {
  const seen = new Set<string>();
  for (const [index, member] of (Array.isArray(members) ? members : []).entries()) {
    if (typeof member !== "string") continue;
    const at = [...path, index];
    if (seen.has(member)) add(at, "this member stands there twice");
    else if (!upstreams.includes(member) && Object.hasOwn(groups, member)) {
      add(at, "a group cannot be a member of a group");
    } else checkName(at, member, upstreams, add);
    seen.add(member);
  }
}

function checkDefault(file: Mapping, targets: readonly string[], add: Add): void {
  const named = file["default-upstream"];
  if (file.default === "proxy" && targets.length === 0) {
    add(["default"], "proxy needs an entry in upstreams");
  } else if (file.default === "proxy" && named === undefined) {
    add(["default"], "proxy needs default-upstream");
  }
  if (typeof named !== "string") return;
  if (file.default !== "proxy") add(["default-upstream"], "only default: proxy uses it");
  else checkName(["default-upstream"], named, targets, add);
}

function checkRules(file: Mapping, targets: readonly string[], add: Add): void {
  const port = mappingOf(file.listener).port ?? DEFAULT_CONFIG.listener.port;
  const names = new Set<unknown>();
  for (const [index, rule] of (Array.isArray(file.rules) ? file.rules : []).entries()) {
    if (!isMapping(rule)) continue;
    const { name, upstream, action } = rule;
    if (name !== undefined && names.has(name)) add(["rules", index, "name"], "another rule has this name");
    names.add(name);
    if (action === "proxy" && typeof upstream === "string") {
      checkName(["rules", index, "upstream"], upstream, targets, add);
    }
    if (rule["deliver-port"] !== undefined && rule["deliver-port"] === port) {
      add(["rules", index, "deliver-port"], "this is the port of tproxy's own listener");
    }
  }
}

function checkName(path: ConfigPath, name: string, known: readonly string[], add: Add): void {
  if (known.includes(name)) return;
  const near = nearest(name, known);
  const hint = near === undefined ? "add it to upstreams" : `did you mean ${near}?`;
  add(path, `no upstream has the name ${JSON.stringify(name)}, ${hint}`);
}

function mappingOf(value: unknown): Mapping {
  return isMapping(value) ? value : {};
}
