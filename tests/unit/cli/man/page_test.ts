/** The manual page says all that the program has, and nothing that roff would take for its own. */
import assert from "node:assert/strict";
import { getDocPageSync } from "@optique/core/parser";
import { configJsonSchema } from "../../../../src/config/schema/json_schema.ts";
import { readExample } from "../../../../src/cli/man/config_keys.ts";
import { escapeText, literal, paragraph } from "../../../../src/cli/man/roff.ts";
import { loadAllCommands } from "../../../../src/cli/table.ts";
import { run } from "../fake_env.ts";

const SECTIONS = [
  "NAME",
  "SYNOPSIS",
  "DESCRIPTION",
  "COMMANDS",
  "CONFIGURATION",
  "EXIT STATUS",
  "FILES",
  "SIGNALS",
  "ENVIRONMENT",
  "EXAMPLES",
  "SEE ALSO",
];

const SIGNS: Readonly<Record<string, string>> = { aq: "'", ga: "`", ha: "^", ti: "~", rs: "\\" };

/** The page without the words of roff. */
async function readPage(): Promise<{ source: string; text: string }> {
  const { code, stdout, stderr } = await run(["man"]);
  assert.deepEqual([code, stderr], [0, ""]);
  const plain = stdout.replaceAll(/\\f[BIR]|\\[%&]/g, "").replaceAll("\\-", "-")
    .replaceAll(/\\\((\w\w)/g, (_, sign) => SIGNS[sign])
    .replaceAll(/\\\[u(\w+)\]/g, (_, code) => String.fromCodePoint(parseInt(code, 16)));
  return { source: stdout, text: plain.replaceAll(/\s+/g, " ") };
}

Deno.test("man has every command with its options, its arguments and its examples", async () => {
  const { source, text } = await readPage();
  assert.deepEqual([...source.matchAll(/^\.SH (.*)$/gm)].map(([, title]) => title), SECTIONS);
  for (const { name, summary, details = [], examples = [], parser } of await loadAllCommands()) {
    assert.ok(source.includes(`\n.SS ${name}\n`), name);
    for (const said of [summary, ...details]) assert.ok(text.includes(said.replaceAll(/\s+/g, " ")), said);
    for (const example of examples) assert.ok(text.includes(`tproxy ${example}`), example);
    for (const { term } of getDocPageSync(parser)?.sections.flatMap(({ entries }) => entries) ?? []) {
      const tag = term.type === "option"
        ? [term.names.join(", "), term.metavar].filter((word) => word !== undefined).join(" ")
        : term.type === "argument"
        ? term.metavar
        : assert.fail(term.type);
      assert.ok(text.includes(`.TP ${tag} `), `${name}: ${tag}`);
    }
  }
});

Deno.test("man has every key of the config", async () => {
  const { text } = await readPage();
  const properties = (schema: unknown) =>
    (schema as { properties?: Record<string, Record<string, unknown>> } | undefined)?.properties ?? {};
  for (const [name, schema] of Object.entries(properties(configJsonSchema()))) {
    const keys = Object.keys(properties(schema));
    for (const key of keys) assert.ok(text.includes(`.TP ${name}.${key}: `), `${name}.${key}`);
    const item = (schema.items ?? schema.additionalProperties) as unknown;
    for (const key of Object.keys(properties(item))) {
      assert.match(text, new RegExp(`[ {]${key}\\b`), `${name}: ${key}`);
    }
    if (keys.length > 0 || item !== undefined) continue;
    // One that has no default stands in the words about others.
    if (name !== "default-upstream") assert.ok(text.includes(`.TP ${name}: `), name);
    else assert.match(text, /default-upstream: NAME/);
  }
});

Deno.test("man has the date that who builds it names, else today's", async () => {
  const head = async (env: Parameters<typeof run>[1]) => (await run(["man"], env)).stdout.split("\n")[0];
  const named = await head({ getenv: (name) => name === "SOURCE_DATE_EPOCH" ? "1700000000" : undefined });
  assert.match(named, /^\.TH TPROXY 8 2023-11-14 "tproxy \d/);
  assert.match(await head({ now: () => new Date(86_400_000) }), /^\.TH TPROXY 8 1970-01-02 /);
});

Deno.test("roff's own signs are printed as they stand, and lines are short", () => {
  assert.equal(escapeText("-c 'a\\b' `~^` …"), "\\-c \\(aqa\\(rsb\\(aq \\(ga\\(ti\\(ha\\(ga \\[u2026]");
  assert.deepEqual(paragraph(".x"), [".PP", "\\&.x"]);
  assert.deepEqual(literal([".hidden"]).at(3), "\\&.hidden");
  const lines = paragraph(Array(40).fill(".points").join(" "));
  assert.ok(lines.length > 3);
  for (const line of lines.slice(1)) assert.ok(line.startsWith("\\&.points ") && line.length < 82, line);
});

Deno.test("readExample() refuses a line that it would leave out", () => {
  assert.throws(() => readExample("# Words.\n!what: 1\n"), /neither a key nor prose: !what: 1/);
});
