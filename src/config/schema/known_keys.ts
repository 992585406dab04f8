/**
 * The keys of the schema, read from the schema itself.
 * @module
 */
import { CONFIG_SCHEMA } from "./schema.ts";
import type { ConfigPath } from "../yaml_source.ts";

/** The parts of a valibot schema that lead to its keys. */
interface SchemaNode {
  readonly entries?: Readonly<Record<string, SchemaNode>>;
  readonly item?: SchemaNode;
  readonly value?: SchemaNode;
  readonly wrapped?: SchemaNode;
  readonly pipe?: readonly SchemaNode[];
}

/** The keys of the section at `path`; none if there is no section. */
export function knownKeys(path: ConfigPath): string[] {
  let node: SchemaNode | undefined = structure(CONFIG_SCHEMA as SchemaNode);
  for (const step of path) {
    const next: SchemaNode | undefined = node?.entries?.[step] ?? node?.item ?? node?.value;
    node = next && structure(next);
  }
  return Object.keys(node?.entries ?? {});
}

/** `["listener.port"]` for `port`: the top-level sections and keys that know a key, as `section.key`. */
export function sectionsWith(key: string): string[] {
  const top = knownKeys([]);
  return top.flatMap((name) =>
    name === key ? [name] : knownKeys([name]).includes(key) ? [`${name}.${key}`] : []
  );
}

/** All keys of the schema as dotted paths; `[]` and `*` stand for the items of a list and for names. */
export function allKeys(): string[] {
  function walk(node: SchemaNode, prefix: string): string[] {
    const { entries, item, value } = structure(node) ?? {};
    if (entries) {
      return Object.entries(entries).flatMap((
        [key, next],
      ) => [prefix + key, ...walk(next, `${prefix}${key}.`)]);
    }
    if (item) return walk(item, `${prefix.slice(0, -1)}[].`);
    return value ? walk(value, `${prefix}*.`) : [];
  }
  return walk(CONFIG_SCHEMA as SchemaNode, "");
}

/** The part of a schema that has keys or items, out of its wrappers and pipes. */
function structure(node: SchemaNode): SchemaNode | undefined {
  if (node.entries || node.item || node.value) return node;
  if (node.wrapped) return structure(node.wrapped);
  for (const part of node.pipe ?? []) {
    const found = part === node ? undefined : structure(part);
    if (found) return found;
  }
  return undefined;
}
