/**
 * Holds a YAML text against the schema, and words what is wrong with it.
 * @module
 */
import * as v from "valibot";
import { contradictions } from "./contradictions/contradictions.ts";
import { conflicts } from "./contradictions/conflicts.ts";
import { ConfigError, type ConfigProblem } from "./error.ts";
import { knownKeys, sectionsWith } from "./schema/known_keys.ts";
import { editDistance, nearest } from "./schema/nearest.ts";
import { CONFIG_SCHEMA, type ConfigFile } from "./schema/schema.ts";
import { isMapping } from "./values/values.ts";
import { type ConfigPath, formatPath, type YamlSource } from "./yaml_source.ts";

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
    ...(result.success ? conflicts(result.output, source) : []),
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
