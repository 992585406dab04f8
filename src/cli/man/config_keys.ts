/**
 * The keys of the config with their explanations, as the example config has them. Pure.
 * @module
 */

/** A part of the example, in its order. */
export type ExamplePart =
  | { readonly kind: "prose"; readonly text: string }
  /** `key`: with its section, as in `intercept.ports`; `value`: its default. */
  | { readonly kind: "key"; readonly key: string; readonly value: string; readonly text: string }
  /** Lines of YAML that show a list or a map. */
  | { readonly kind: "example"; readonly key: string; readonly lines: readonly string[] };

const PROSE = /^# (?! )(.*)$/;
const CONTINUED = /^# {9,}# (.*)$/;
const SECTION = /^#?([a-z-]+):$/;
const KEY = /^#?( *)([a-z][a-z0-9-]*): (\S.*?)(?: +# (.*))?$/;

/** Reads the example. Throws a TypeError where a line is none of what it may have. */
export function readExample(example: string): ExamplePart[] {
  const parts: ExamplePart[] = [];
  let section = "";
  let prose: string[] = [];
  const flush = () => {
    if (prose.length > 0) parts.push({ kind: "prose", text: prose.join(" ") });
    prose = [];
  };
  for (const line of example.trimEnd().split("\n")) {
    const last = parts.at(-1);
    const continued = CONTINUED.exec(line)?.[1];
    const said = PROSE.exec(line)?.[1];
    const heading = SECTION.exec(line)?.[1];
    const [, indent, name, value, text = ""] = KEY.exec(line) ?? [];
    if (line === "") {
      flush();
    } else if (continued !== undefined && last?.kind === "key") {
      parts[parts.length - 1] = { ...last, text: `${last.text} ${continued}` };
    } else if (said !== undefined) {
      prose.push(said);
    } else if (heading !== undefined) {
      flush();
      section = heading;
    } else if (line.startsWith("#  - ") || value?.startsWith("{")) {
      if (last?.kind === "example" && last.key === section) {
        parts[parts.length - 1] = { ...last, lines: [...last.lines, line.slice(1)] };
      } else parts.push({ kind: "example", key: section, lines: [`${section}:`, line.slice(1)] });
    } else if (name !== undefined) {
      const explained = [...prose, text].filter((words) => words !== "").join(" ");
      prose = [];
      parts.push({ kind: "key", key: indent === "" ? name : `${section}.${name}`, value, text: explained });
    } else throw new TypeError(`A line of the example config is neither a key nor prose: ${line}`);
  }
  flush();
  return parts;
}
