/**
 * Which part of the program may import which, and the check of a module graph against that.
 *
 * ```
 * cli → { daemon, doctor, config } → { kernel, dataplane } → { policy, netlink, ffi } → net, constants, log
 * ```
 * @module
 */
import type { Module } from "./graph.ts";

/** What one part may import. A name with `(types)` allows `import type` alone. */
interface Layer {
  /** Path of the part: a directory that ends in "/", or a file. */
  readonly path: string;
  readonly imports: readonly string[];
}

const GROUND = ["src/net/", "src/constants.ts", "src/log.ts"];
const MACHINE = ["src/netlink/", "ffi/"];
const TYPES = " (types)";
const CONFIG_TYPES = `src/config/types.ts${TYPES}`;

/** The first path that fits counts, so an exception stands before its directory. */
const LAYERS: readonly Layer[] = [
  {
    path: "src/cli/",
    imports: [
      "src/daemon/",
      "src/doctor/",
      "src/boot/",
      "src/kernel/",
      "src/dataplane/",
      "src/config/",
      ...MACHINE,
      ...GROUND,
    ],
  },
  {
    path: "src/daemon/",
    imports: ["src/kernel/", "src/dataplane/", "src/policy/", "src/config/", ...MACHINE, ...GROUND],
  },
  {
    // statfs(2), which Deno has in node:fs alone.
    path: "src/doctor/program/judge_program.ts",
    imports: ["src/doctor/", "node:fs"],
  },
  { path: "src/doctor/", imports: ["src/kernel/", `src/config/${TYPES}`, ...MACHINE, ...GROUND] },
  { path: "src/kernel/", imports: ["src/policy/", `src/config/${TYPES}`, ...MACHINE, ...GROUND] },
  { path: "src/library/", imports: ["src/kernel/", "src/dataplane/", "src/config/", ...MACHINE, ...GROUND] },
  { path: "src/dataplane/", imports: [CONFIG_TYPES, "src/policy/", "ffi/", ...GROUND] },
  { path: "src/policy/", imports: [CONFIG_TYPES, "src/net/"] },
  { path: "src/config/", imports: GROUND },
  { path: "src/boot/", imports: ["src/constants.ts"] },
  { path: "src/netlink/transport.ts", imports: ["src/netlink/", "ffi/", ...GROUND] },
  { path: "src/netlink/monitor.ts", imports: ["src/netlink/", "ffi/", ...GROUND] },
  { path: "src/netlink/", imports: GROUND },
  { path: "ffi/", imports: ["src/net/", "src/constants.ts"] },
  { path: "src/net/", imports: [] },
  { path: "src/constants.ts", imports: [] },
  { path: "src/log.ts", imports: [CONFIG_TYPES] },
  {
    path: "mod.ts",
    imports: ["src/library/", "src/kernel/", "src/dataplane/", "src/config/", ...MACHINE, ...GROUND],
  },
];

/** Packages and the only place that may import each. */
const PACKAGES: Readonly<Record<string, string>> = {
  "yaml": "src/config/",
  "valibot": "src/config/",
  "@valibot/to-json-schema": "src/config/",
  "@optique/core": "src/cli/",
  "@optique/run": "src/cli/",
  "ipaddr.js": "src/net/ip.ts",
};

/** Words of the program text and the only place for each. */
const WORDS: readonly { word: RegExp; name: string; home: string }[] = [
  { word: /\bDeno\.dlopen\b/, name: "Deno.dlopen", home: "ffi/libc.ts" },
  { word: /\bDeno\.Unsafe\w+/, name: "Deno.Unsafe*", home: "ffi/" },
];

/** Parts that reach no FFI, not even through what they import. */
const PURE = [
  "src/net/",
  "src/policy/",
  "src/boot/",
  "src/config/",
  "src/netlink/",
  "src/constants.ts",
  "src/log.ts",
];
const IMPURE_FILES = ["src/netlink/transport.ts", "src/netlink/monitor.ts"];

/** What may stand at the top of the project; dot files are free. */
const TOP_LEVEL = [
  "deno.json",
  "deno.lock",
  "mod.ts",
  "src",
  "ffi",
  "tests",
  "scripts",
  "README.md",
  "LICENSE",
  "dist",
  "node_modules",
];

/** Every breach in the graph, one sentence each; none: the layers hold. */
export function findViolations(modules: readonly Module[]): string[] {
  const program = modules.filter((module) => !/^(tests|scripts)\//.test(module.path));
  return [
    ...program.flatMap(checkImports),
    ...program.flatMap(checkWords),
    ...findImpurities(program),
    ...findCycles(modules),
  ];
}

/** Names at the top of the project that do not belong there. */
export function findStrays(names: readonly string[]): string[] {
  return names.filter((name) => !name.startsWith(".") && !TOP_LEVEL.includes(name))
    .map((name) => `${name}: does not belong at the top of the project`);
}

function checkImports(module: Module): string[] {
  const layer = LAYERS.find(({ path }) => covers(path, module.path));
  if (layer === undefined) {
    return [`${module.path}: belongs to no layer; name it in scripts/lib/layers/rules.ts`];
  }
  return module.imports.flatMap(({ target, typeOnly, package: npm }) => {
    if (npm !== undefined) {
      const home = PACKAGES[npm];
      return home !== undefined && covers(home, module.path) ? [] : [
        `${module.path}: imports package ${npm}, which ${
          home === undefined ? "nothing may" : `only ${home} may`
        }`,
      ];
    }
    const same = layer.path.endsWith("/") && covers(layer.path, target);
    const allowed = same ||
      layer.imports.some((path) =>
        path.endsWith(TYPES) ? typeOnly && covers(path.slice(0, -TYPES.length), target) : covers(path, target)
      );
    return allowed ? [] : [`${module.path}: imports ${target}, which ${layer.path} may not`];
  });
}

function checkWords(module: Module): string[] {
  const code = module.text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/.*$/gm, "");
  return WORDS.filter(({ word, home }) => word.test(code) && !covers(home, module.path))
    .map(({ name, home }) => `${module.path}: uses ${name}, which only ${home} may`);
}

/** Pure modules that reach ffi/ through what they import. */
function findImpurities(modules: readonly Module[]): string[] {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const pure = modules.filter(({ path }) =>
    PURE.some((p) => covers(p, path)) && !IMPURE_FILES.includes(path)
  );
  return pure.flatMap(({ path }) => {
    const chain = findChain(path, byPath);
    return chain === undefined ? [] : [`${path}: reaches FFI: ${chain.join(" → ")}`];
  });
}

function findChain(start: string, byPath: ReadonlyMap<string, Module>): string[] | undefined {
  const seen = new Set<string>();
  const queue: string[][] = [[start]];
  for (let chain = queue.shift(); chain !== undefined; chain = queue.shift()) {
    const path = chain[chain.length - 1];
    if (covers("ffi/", path)) return chain;
    for (const target of codeImports(byPath.get(path))) {
      if (!seen.has(target)) queue.push([...chain, target]);
      seen.add(target);
    }
  }
  return undefined;
}

/** Cycles of imports; those of types alone, or through an import at need, are harmless. */
function findCycles(modules: readonly Module[]): string[] {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const finished = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, chain: readonly string[]): void => {
    const start = chain.indexOf(path);
    if (start >= 0) {
      cycles.push(`cycle: ${[...chain.slice(start), path].join(" → ")}`);
      return;
    }
    if (finished.has(path)) return;
    for (const target of staticImports(byPath.get(path))) visit(target, [...chain, path]);
    finished.add(path);
  };
  for (const { path } of modules) visit(path, []);
  return cycles;
}

function codeImports(module: Module | undefined): string[] {
  return (module?.imports ?? []).filter((i) => !i.typeOnly && i.package === undefined).map((i) => i.target);
}

function staticImports(module: Module | undefined): string[] {
  const dynamic = (module?.imports ?? []).filter((i) => i.dynamic).map((i) => i.target);
  return codeImports(module).filter((target) => !dynamic.includes(target));
}

function covers(path: string, file: string): boolean {
  return path.endsWith("/") ? file.startsWith(path) : file === path;
}
