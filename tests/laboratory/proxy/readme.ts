/**
 * The README's recipes, as an administrator reads them: files and commands under a heading.
 *
 * A fenced block whose info string is `LANGUAGE NAME.EXTENSION` is a file; one of `sh` holds commands, `sh
 * NAME` further ones. Pure but for reading README.md.
 * @module
 */

const README = new URL("../../../README.md", import.meta.url);
/** The section that holds the recipes. */
const SECTION = "Recipes";

/** One recipe. */
export interface Recipe {
  readonly title: string;
  /** Texts of the files by their names. */
  readonly files: ReadonlyMap<string, string>;
  /** Commands by the name of their block; those of the plain one by the empty string. */
  readonly commands: ReadonlyMap<string, string>;
}

/** The recipe under a heading of the README; throws where there is none. */
export function readRecipe(title: string): Recipe {
  const recipe = parseRecipes(Deno.readTextFileSync(README)).find((candidate) => candidate.title === title);
  if (recipe === undefined) throw new Error(`The README has no recipe "${title}"`);
  return recipe;
}

/** The titles of the README's recipes, in its order. */
export function listRecipes(): string[] {
  return parseRecipes(Deno.readTextFileSync(README)).map(({ title }) => title);
}

/** All recipes of a Markdown text: headings of the third level in the section, with a block. */
export function parseRecipes(markdown: string): Recipe[] {
  const section = new RegExp(`^## ${SECTION}\n(.*?)(?=^## |$(?![^]))`, "ms").exec(markdown)?.[1] ?? "";
  return section.split(/^### /m).slice(1).map(parseRecipe).filter(({ files, commands }) =>
    files.size + commands.size > 0
  );
}

function parseRecipe(text: string): Recipe {
  const files = new Map<string, string>();
  const commands = new Map<string, string>();
  for (const [, language, name = "", content] of text.matchAll(/^```(\w+) ?(\S*)\n(.*?)^```$/gms)) {
    const isFile = name.includes(".");
    if (!isFile && language !== "sh") continue;
    const blocks = isFile ? files : commands;
    if (blocks.has(name)) throw new Error(`The README has "${name}" twice in a recipe`);
    blocks.set(name, content);
  }
  return { title: text.slice(0, text.indexOf("\n")), files, commands };
}
