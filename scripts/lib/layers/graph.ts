/**
 * The module graph of a source tree, as `deno info --json` tells it.
 * @module
 */

/** One import of a module. */
export interface Import {
  /** Path in the project of the module that is imported, or the package's specifier. */
  readonly target: string;
  readonly typeOnly: boolean;
  /** `await import(…)`: loaded when it is needed, not with the module. */
  readonly dynamic: boolean;
  /** Name of the npm package, when it is one. */
  readonly package?: string;
}

/** One TypeScript file of the project. */
export interface Module {
  /** Relative to the top of the project. */
  readonly path: string;
  readonly imports: readonly Import[];
  readonly text: string;
}

/** The part of `deno info --json` that is used. */
interface Info {
  modules: { specifier: string; local?: string; dependencies?: Dependency[] }[];
}
interface Dependency {
  specifier: string;
  isDynamic?: boolean;
  code?: { specifier?: string; error?: string };
  type?: { specifier?: string; error?: string };
}

/** Reads the TypeScript files among those of the tree, and what each imports. */
export async function readGraph(root: string, paths: readonly string[]): Promise<Module[]> {
  const files = paths.filter((path) => path.endsWith(".ts"));
  // deno info takes one module: a list of all, in a file of our own beside the tree's.
  const list = `${root}/.cache/every_module.ts`;
  Deno.mkdirSync(`${root}/.cache`, { recursive: true });
  Deno.writeTextFileSync(list, files.map((file) => `import ${JSON.stringify(`../${file}`)};\n`).join(""));
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", list],
    cwd: root,
  }).output();
  Deno.removeSync(list);
  if (!success) throw new Error(`Cannot read the module graph: ${new TextDecoder().decode(stderr)}`);
  const info: Info = JSON.parse(new TextDecoder().decode(stdout));
  const base = `file://${root}/`;
  return info.modules
    .filter(({ specifier }) => specifier.startsWith(base) && files.includes(specifier.slice(base.length)))
    .map(({ specifier, dependencies }) => ({
      path: specifier.slice(base.length),
      imports: (dependencies ?? []).map((dependency) => toImport(dependency, base)),
      text: Deno.readTextFileSync(specifier.slice("file://".length)),
    }));
}

function toImport({ specifier, code, type, isDynamic: dynamic = false }: Dependency, base: string): Import {
  const target = code?.specifier ?? type?.specifier ?? specifier;
  const typeOnly = code === undefined;
  const npm = /^npm:\/?((?:@[^/@]+\/)?[^/@]+)/.exec(target)?.[1];
  if (npm !== undefined) return { target, typeOnly, dynamic, package: npm };
  return { target: target.startsWith(base) ? target.slice(base.length) : target, typeOnly, dynamic };
}
