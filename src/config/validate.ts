/**
 * Holds a YAML text against the schema, and words what is wrong with it.
 * @module
 */
import * as v from "valibot";
import { DEFAULT_CONFIG } from "./defaults.ts";
import { ConfigError, type ConfigProblem } from "./error.ts";
import { knownKeys, sectionsWith } from "./schema/known_keys.ts";
import { editDistance, nearest } from "./schema/nearest.ts";
import { CONFIG_SCHEMA, type ConfigFile } from "./schema/schema.ts";
import { isMapping } from "./values/values.ts";
import type { ConfigPath, YamlSource } from "./yaml_source.ts";

/** The checked file. Throws a ConfigError with all problems. */
export function validate(source: YamlSource): ConfigFile {
  const result = v.safeParse(CONFIG_SCHEMA, source.value ?? {});
  const problems = [
    ...source.problems,
    ...(result.issues ?? []).map((issue) => describe(source, issue)),
    ...unknownKeys(source.value, []).map((path) => ({
      ...source.locate(path, { key: true }),
      text: describeUnknownKey(path),
    })),
    ...contradictions(source),
  ];
  if (problems.length > 0 || !result.success) throw new ConfigError(source.file, problems);
  return result.output;
}

function describe(source: YamlSource, issue: v.BaseIssue<unknown>): ConfigProblem {
  const path = (issue.path ?? []).map((step) => step.key as string | number);
  const subject = path.length === 0 ? "" : `${formatPath(path)}: `;
  if (!issue.message.startsWith("expected ")) {
    return { ...source.locate(path), text: subject + issue.message };
  }
  const written = source.excerpt(path);
  const found = written === "" || issue.input === null ? "no value" : `bad value ${written}`;
  return { ...source.locate(path), text: `${subject}${found}, ${issue.message}` };
}

/** The paths of all keys that the schema does not know. */
function unknownKeys(value: unknown, path: ConfigPath): ConfigPath[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => unknownKeys(item, [...path, index]));
  if (!isMapping(value)) return [];
  const known = knownKeys(path);
  return Object.keys(value).flatMap((key) => {
    const inner = [...path, key];
    // Where there are names instead of keys (upstreams), or a mapping where none belongs, nothing is known.
    return known.length > 0 && !known.includes(key) ? [inner] : unknownKeys(value[key], inner);
  });
}

function describeUnknownKey(path: ConfigPath): string {
  const key = String(path.at(-1));
  const parent = path.slice(0, -1);
  const known = knownKeys(parent);
  const where = parent.length === 0 ? "" : ` in ${formatPath(parent)}`;
  const near = nearest(key, known);
  // A slip of one letter here, else the same word in another section, else a word that looks like it here.
  const meant = near !== undefined && editDistance(near, key) === 1 ? near : sectionsWith(key)[0] ?? near;
  const hint = meant === undefined ? `known: ${known.join(", ")}` : `did you mean ${meant}?`;
  return `unknown key ${JSON.stringify(key.slice(0, 64))}${where}, ${hint}`;
}

/** `rules[0].ports[1]`. */
function formatPath(path: ConfigPath): string {
  return path.map((step, index) => typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`)
    .join("");
}

/**
 * Finds problems for which no single value is to blame. Looks at the values as they were written, so that it
 * works on bad files too.
 */
function contradictions(source: YamlSource): ConfigProblem[] {
  const file = isMapping(source.value) ? source.value : {};
  const upstreams = isMapping(file.upstreams) ? Object.keys(file.upstreams) : [];
  const port = (isMapping(file.listener) ? file.listener.port : undefined) ?? DEFAULT_CONFIG.listener.port;
  const problems: ConfigProblem[] = [];
  const add = (path: ConfigPath, text: string) =>
    problems.push({ ...source.locate(path), text: `${formatPath(path)}: ${text}` });
  if (file.default === "proxy" && upstreams.length === 0) {
    add(["default"], "proxy needs an entry in upstreams");
  }
  for (const name of upstreams) {
    // Names that mean something to JavaScript get lost on the way.
    if (name === "" || name in {}) add(["upstreams", name], "this cannot be a name");
  }
  const names = new Set<unknown>();
  for (const [index, rule] of (Array.isArray(file.rules) ? file.rules : []).entries()) {
    if (!isMapping(rule)) continue;
    const { name, upstream, action } = rule;
    if (name !== undefined && names.has(name)) add(["rules", index, "name"], "another rule has this name");
    names.add(name);
    if (action === "proxy" && typeof upstream === "string" && !upstreams.includes(upstream)) {
      const near = nearest(upstream, upstreams);
      const hint = near === undefined ? "add it to upstreams" : `did you mean ${near}?`;
      add(["rules", index, "upstream"], `no upstream has the name ${JSON.stringify(upstream)}, ${hint}`);
    }
    if (rule["deliver-port"] !== undefined && rule["deliver-port"] === port) {
      add(["rules", index, "deliver-port"], "this is the port of tproxy's own listener");
    }
  }
  return problems;
}
