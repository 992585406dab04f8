/**
 * The schema of the config as JSON Schema, for completion and checks in editors. Made from the schema itself:
 * each value carries its own JSON Schema, of which a general converter would lose units and ranges.
 * @module
 */
import { CONFIG_SCHEMA } from "./schema.ts";
import type { JsonSchema } from "../values/values.ts";

interface SchemaNode {
  readonly type: string;
  readonly metadata?: JsonSchema;
  readonly entries?: Readonly<Record<string, SchemaNode>>;
  readonly item?: SchemaNode;
  readonly value?: SchemaNode;
  readonly wrapped?: SchemaNode;
  readonly pipe?: readonly SchemaNode[];
}

/** JSON Schema (draft 2020-12) of a config file. */
export function configJsonSchema(): JsonSchema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "tproxy configuration",
    ...convert(CONFIG_SCHEMA as unknown as SchemaNode),
  };
}

function convert(node: SchemaNode): JsonSchema {
  if (node.wrapped) {
    const inner = convert(node.wrapped);
    // A key with nothing after it is as good as one that is not there.
    return node.type === "nullish" ? { ...inner, type: [inner.type, "null"] } : inner;
  }
  if (node.pipe) {
    // A pipe has the keys of its first part; that part itself is among its parts.
    const parts = node.pipe.map((part) => part === node ? {} : part.pipe ? convert(part) : convertPart(part));
    return Object.assign({}, ...parts);
  }
  return convertPart(node);
}

function convertPart(node: SchemaNode): JsonSchema {
  switch (node.type) {
    case "metadata":
      return node.metadata ?? {};
    case "array":
      return { type: "array", items: convert(node.item!) };
    case "min_length":
      return { minItems: 1 };
    case "record":
      return { type: "object", additionalProperties: convert(node.value!) };
    case "object": {
      const properties = Object.entries(node.entries!).map(([key, value]) => [key, convert(value)]);
      return { type: "object", properties: Object.fromEntries(properties), additionalProperties: false };
    }
    default:
      return {};
  }
}
