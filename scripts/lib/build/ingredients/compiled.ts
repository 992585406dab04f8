/**
 * Deno's cache of a program that it has compiled: two SQLite databases. One run of the program's modules
 * makes them, for another processor in qemu-user. With them a start takes 25 ms instead of 120, and a run 72
 * MB instead of 100.
 *
 * Deno finds an entry by the path of the module, so the modules are loaded under the path that the launcher
 * gives them everywhere (ffi/launcher/main.c). V8 makes the same bytes each time; the databases are written
 * anew, in order, so that they are the same as well.
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { exists } from "../disk.ts";
import { type Arch, keep, type Layer, type LayerFile, writeLayer } from "../layer.ts";
import { ENTRIES } from "../project.ts";
import { giveUp, run, say } from "../run.ts";

/** ffi/launcher/main.c, PROGRAM_FD. */
const DIRECTORY = "/proc/self/fd/100";
/** Databases of Deno, the table in each, and the columns of its key. */
const DATABASES = [
  { name: "v8_code_cache_v2", table: "codecache", key: "specifier, type" },
  { name: "dep_analysis_cache_v2", table: "moduleinfocache", key: "specifier" },
] as const;
/** The module that loads the others; its own entries are left out. */
const LOADER = "loader.js";
/** RUN_FLAGS there: V8 takes no code that was compiled with other flags of its own. */
const FLAGS =
  "--allow-all --no-prompt --no-config --no-lock --no-npm --no-remote --cached-only --v8-flags=--expose-gc"
    .split(" ");
const PATIENCE_MS = 180_000;

/** The databases for a program, as files of its layer. */
export function compiledFiles(arch: Arch, runtime: Layer, code: readonly LayerFile[]): LayerFile[] {
  const program: Layer = { name: "program", id: "", files: code };
  return DATABASES.map(({ name }) => {
    const recipe = [runtime.id, ...FLAGS, ...code.map(({ content }) => new TextDecoder().decode(content))]
      .join("\0");
    const content = keep(`${name}-${arch}`, recipe, "db", (path) => {
      const directory = Deno.makeTempDirSync({ prefix: "tproxy-compiled-" });
      try {
        compile(arch, runtime, program, directory);
        copyDatabase(`${directory}/deno-dir/${name}`, path, name);
      } finally {
        Deno.removeSync(directory, { recursive: true });
      }
    });
    return { name, mode: 0o644, content };
  });
}

/** Loads every module until Deno has kept what it made of them. */
function compile(arch: Arch, runtime: Layer, program: Layer, directory: string): void {
  if (arch !== Deno.build.arch) {
    say(`Compiling the program's modules for ${arch} in qemu (once, under a minute) …`);
  }
  writeLayer(runtime, `${directory}/runtime`);
  writeLayer(program, `${directory}/program`);
  const workers = program.files.map(({ name }) => name).filter((name) => !Object.hasOwn(ENTRIES, name));
  Deno.writeTextFileSync(
    `${directory}/program/${LOADER}`,
    `for (const name of ${JSON.stringify(Object.keys(ENTRIES))}) await import("file://${DIRECTORY}/" + name);
for (const name of ${JSON.stringify(workers)}) new Worker("file://${DIRECTORY}/" + name, { type: "module" });
setInterval(() => {}, 1000);
`,
  );
  const loader = `${directory}/runtime/tproxy`;
  const emulator = arch === Deno.build.arch ? [] : [`qemu-${arch}-static`];
  const child = new Deno.Command("bash", {
    args: [
      "-c",
      'exec 100<"$1"; shift; exec "$@"',
      "bash",
      `${directory}/program`,
      ...emulator,
      loader,
      "--library-path",
      `${directory}/runtime`,
      `${directory}/runtime/deno`,
      "run",
      ...FLAGS,
      `${DIRECTORY}/${LOADER}`,
    ],
    env: { DENO_DIR: `${directory}/deno-dir`, DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  try {
    const missing = () => program.files.filter(({ name }) => !isKept(`${directory}/deno-dir`, name));
    const end = Date.now() + PATIENCE_MS;
    while (missing().length > 0) {
      if (Date.now() > end) {
        giveUp(`Deno for ${arch} did not keep ${missing().map(({ name }) => name).join(", ")}`);
      }
      run("sleep", ["0.2"]);
    }
    run("sleep", [emulator.length > 0 ? "5" : "1"]); // modules of Deno's own that they have asked for
  } finally {
    child.kill("SIGKILL");
  }
}

function isKept(denoDir: string, name: string): boolean {
  const path = `${denoDir}/v8_code_cache_v2`;
  if (!exists(path)) return false;
  try {
    using database = new DatabaseSync(path, { readOnly: true });
    const query = database.prepare("SELECT count(*) AS n FROM codecache WHERE specifier = ?");
    return Number(query.get(`file://${DIRECTORY}/${name}`)?.n) > 0;
  } catch {
    return false; // being made
  }
}

/** Copies what belongs to the program, in order, into a database without a log beside it. */
function copyDatabase(from: string, to: string, name: string): void {
  const { table, key } = DATABASES.find((database) => database.name === name)!;
  if (exists(to)) Deno.removeSync(to);
  using source = new DatabaseSync(from, { readOnly: true });
  using target = new DatabaseSync(to);
  target.exec("PRAGMA page_size = 4096; PRAGMA journal_mode = DELETE");
  for (const { sql } of source.prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").all()) {
    target.exec(String(sql));
  }
  for (const [part, order] of [["info", "key"], [table, key]]) {
    const rows = source.prepare(`SELECT * FROM ${part} ORDER BY ${order}`);
    rows.setReadBigInts(true);
    for (const row of rows.all()) {
      if (String(row.specifier ?? "").endsWith(`/${LOADER}`)) continue;
      const columns = Object.keys(row);
      target.prepare(`INSERT INTO ${part} (${columns}) VALUES (${columns.map(() => "?")})`).run(
        ...Object.values(row),
      );
    }
  }
}
