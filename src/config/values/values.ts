/**
 * The building blocks of the schema. An issue's message that begins with "expected" is about a value: the
 * reporter puts the value, as it was written, before it. The metadata are JSON Schema.
 * @module
 */
import * as v from "valibot";
import { nearest } from "../schema/nearest.ts";

/** JSON Schema keywords. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A kind of value: its form, its reading, and its JSON Schema. */
export interface ValueOptions<T> {
  /** Completes "expected …". */
  readonly expected: string;
  /** The meaning of the input; `undefined` refuses it, a Refusal refuses it with other words. */
  readonly parse: (input: unknown) => T | undefined | Refusal;
  readonly json: JsonSchema;
}

/** The reason why a value that looks right is not. */
export class Refusal {
  constructor(readonly expected: string) {}
}

/** A single value. */
export function value<T>({ expected, parse, json }: ValueOptions<T>) {
  return v.pipe(
    v.unknown(),
    v.metadata(json),
    v.rawTransform(({ dataset, addIssue, NEVER }): T => {
      const result = parse(dataset.value);
      if (result !== undefined && !(result instanceof Refusal)) return result;
      addIssue({ message: `expected ${result instanceof Refusal ? result.expected : expected}` });
      return NEVER;
    }),
  );
}

/** One of some words. */
export function oneOf<const T extends string>(...words: readonly T[]) {
  const listed = words.length === 1 ? words[0] : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
  return value<T>({
    expected: listed,
    parse: (input) => words.find((word) => word === input) ?? refuseMisspelt(input, { words, listed }),
    json: { enum: words },
  });
}

function refuseMisspelt(
  input: unknown,
  { words, listed }: { words: readonly string[]; listed: string },
): Refusal | undefined {
  const near = typeof input === "string" ? nearest(input, words) : undefined;
  return near === undefined ? undefined : new Refusal(`${listed}, did you mean ${near}?`);
}

/** A whole number. */
export function integer({ expected, min, max }: { expected: string; min: number; max: number }) {
  return value<number>({
    expected: `${expected}, ${min} to ${max}`,
    parse: (input) => isInteger(input) && input >= min && input <= max ? input : undefined,
    json: { type: "integer", minimum: min, maximum: max },
  });
}

/** Tells whether the input is a whole number that JavaScript holds exactly. */
export function isInteger(input: unknown): input is number {
  return Number.isSafeInteger(input);
}

/** A word, or what `schema` takes. `json` describes the latter. */
export function wordOr<const W extends string, S extends v.GenericSchema>(
  word: W,
  { schema, json }: { readonly schema: S; readonly json: JsonSchema },
) {
  return v.pipe(
    v.unknown(),
    v.metadata({ anyOf: [{ const: word }, json] }),
    v.rawTransform(({ dataset, addIssue, NEVER }): W | v.InferOutput<S> => {
      if (dataset.value === word) return word;
      const result = v.safeParse(schema, dataset.value);
      if (result.success) return result.output;
      for (const issue of result.issues) {
        const message = issue.path
          ? issue.message
          : issue.message.replace(/^expected /, `expected ${word} or `);
        addIssue({ message, ...(issue.path ? { path: issue.path as [v.IssuePathItem] } : {}) });
      }
      return NEVER;
    }),
  );
}

/** One item, or a list with at least one. `json` describes an item, `example` shows a list. */
export function oneOrList<T>(
  item: v.GenericSchema<unknown, T>,
  { json, example }: { readonly json: JsonSchema; readonly example: string },
) {
  const many = list(item, example);
  return v.pipe(
    v.unknown(),
    v.metadata({ anyOf: [json, { type: "array", minItems: 1, items: json }] }),
    v.rawTransform(({ dataset, addIssue, NEVER }): readonly T[] => {
      const listed = Array.isArray(dataset.value);
      const result = v.safeParse(listed ? many : item, dataset.value);
      if (result.success) return listed ? result.output as T[] : [result.output as T];
      for (const { message, path } of result.issues) {
        addIssue({ message, ...(path ? { path: path as [v.IssuePathItem] } : {}) });
      }
      return NEVER;
    }),
  );
}

/** A list with at least one item. `example` shows one. */
export function list<S extends v.GenericSchema>(item: S, example: string) {
  const expected = `expected a list such as ${example}`;
  return v.pipe(v.array(item, expected), v.minLength(1, expected));
}

/**
 * A mapping. Unknown keys are found by validate.ts. Each entry of `entries` may be optional; so is the
 * whole, and a key with nothing after it is as good as one that is not there.
 */
export function section<const E extends v.ObjectEntries>(entries: E) {
  return v.nullish(mapping(entries));
}

/** The same where it cannot be left out: for the items of lists. */
export function mapping<const E extends v.ObjectEntries>(entries: E) {
  return v.pipe(
    v.unknown(),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!isMapping(dataset.value)) addIssue({ message: "expected keys and values" });
    }),
    v.object(entries, "expected keys and values"),
  );
}

/** Items by names that the administrator chooses. */
export function named<S extends v.GenericSchema>(item: S, expected: string) {
  return v.nullish(v.pipe(
    v.unknown(),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!isMapping(dataset.value)) addIssue({ message: expected });
    }),
    v.record(v.string(), item, expected),
  ));
}

/** Tells whether the input is a YAML mapping. */
export function isMapping(input: unknown): input is Readonly<Record<string, unknown>> {
  return typeof input === "object" && input !== null && !Array.isArray(input);
}

/** The path of an issue about the value of `key` in `input`. */
export function pathItem(input: Readonly<Record<string, unknown>>, key: string): v.ObjectPathItem {
  return { type: "object", origin: "value", input, key, value: input[key] };
}
