import assert from "node:assert/strict";
import { loadText } from "../../src/config/load.ts";
import { listRecipes, parseRecipes } from "../laboratory/proxy/readme.ts";

const MARKDOWN = `# Title
## Recipes
Text.
### First
\`\`\`yaml tproxy.yaml
a: 1
\`\`\`
\`\`\`text
shown only
\`\`\`
\`\`\`sh
one &
\`\`\`
\`\`\`sh check
two
\`\`\`
### Without blocks
Text.
### Second
\`\`\`sh
three
\`\`\`
## Next section
### No recipe
\`\`\`sh
four
\`\`\`
`;

Deno.test("parseRecipes() finds the files and commands under the headings of one section", () => {
  assert.deepEqual(parseRecipes(MARKDOWN), [
    {
      title: "First",
      files: new Map([["tproxy.yaml", "a: 1\n"]]),
      commands: new Map([["", "one &\n"], ["check", "two\n"]]),
    },
    { title: "Second", files: new Map(), commands: new Map([["", "three\n"]]) },
  ]);
  assert.deepEqual(parseRecipes("# Title\n## Recipes\n### Last\n```sh\nend\n```\n").length, 1);
});

Deno.test("parseRecipes() refuses two texts of one name", () => {
  assert.throws(() => parseRecipes("## Recipes\n### A\n```sh\na\n```\n```sh\nb\n```\n"), /has "" twice/);
});

Deno.test("each recipe of the README is run by a laboratory test", () => {
  const lab = new URL("../lab/", import.meta.url);
  const folders = [...Deno.readDirSync(lab)].filter(({ isDirectory }) => isDirectory);
  const tests = folders.map(({ name }) => new URL(`${name}/`, lab))
    .flatMap((folder) => [...Deno.readDirSync(folder)].map(({ name }) => new URL(name, folder)))
    .filter(({ pathname }) => pathname.endsWith("_test.ts"))
    .map((file) => Deno.readTextFileSync(file))
    .filter((text) => text.includes("prepareRecipe(")).join("\n");
  const recipes = listRecipes();
  for (const title of ["Squid", "HAProxy", "v2ray", "socat", "iptables", "tproxy nc", "tproxy redirect"]) {
    assert.ok(recipes.includes(title), `${title} has no recipe`);
  }
  assert.deepEqual(recipes.filter((title) => !tests.includes(`"${title}"`)), []);
});

Deno.test("every config of the README is valid", () => {
  const readme = Deno.readTextFileSync(new URL("../../README.md", import.meta.url));
  const blocks = [...readme.matchAll(/^```yaml[^\n]*\n(.*?)^```$/gms)].map(([, text]) => text);
  assert.ok(blocks.length >= 6);
  // A list of networks in a file that is not here.
  for (const text of blocks) loadText(text, "README.md", () => "192.0.2.0/24\n");
});
