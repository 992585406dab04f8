/**
 * Debian's packages of any architecture as directories, without installing anything or telling dpkg of a foreign
 * architecture: apt-get works on lists and caches of its own below .cache, with the machine's sources and keys.
 *
 * ```
 * .cache/debian/arm64/apt/                                 what apt-get knows
 * .cache/debian/arm64/busybox-static_1.35.0-4_arm64/       one package, unpacked; kept
 * ```
 * @module
 */

/** Debian's names of the architectures. */
export type DebianArchitecture = "amd64" | "arm64";

const ROOT = new URL("../../.cache/debian", import.meta.url).pathname;
/** Lists that are older are refreshed. */
const FRESH_MS = 24 * 3600_000;

/**
 * Brings packages and unpacks them; what is there already in the wanted version is kept.
 *
 * @returns the directory of each package, by its name
 * @throws {Error} apt-get or dpkg-deb is missing or failed; says what it said
 */
export function fetchDebianPackages(
  architecture: DebianArchitecture,
  names: readonly string[],
): Map<string, string> {
  using _lock = lock(architecture);
  refresh(architecture);
  const located = locate(architecture, names);
  const missing = located.filter(({ directory }) => !exists(directory));
  if (missing.length > 0) bring(architecture, missing);
  return new Map(located.map(({ name, directory }) => [name, directory]));
}

/**
 * The package that a package depends on, by the beginning of its name: `linux-image-arm64` names the kernel of today,
 * `linux-image-6.1.0-56-arm64`, so.
 */
export function findDebianDependency(architecture: DebianArchitecture, name: string, prefix: string): string {
  using _lock = lock(architecture);
  refresh(architecture);
  const depends = /^Depends: (.*)$/m.exec(
    apt(architecture, "apt-cache", ["show", "--no-all-versions", name]),
  );
  const found = depends?.[1].split(", ").map((one) => one.split(" ")[0]).find((one) =>
    one.startsWith(prefix)
  );
  if (found === undefined) throw new Error(`Debian's ${name} for ${architecture} depends on no ${prefix}…`);
  return found;
}

/** One package in the version of today. */
interface Located {
  readonly name: string;
  /** As apt-get names it. */
  readonly file: string;
  /** Where it is unpacked, or will be. */
  readonly directory: string;
}

function locate(architecture: DebianArchitecture, names: readonly string[]): Located[] {
  const lines = apt(architecture, "apt-get", ["download", "--print-uris", ...names]).split("\n");
  const files = lines.map((line) => line.split(" ")[1] ?? "");
  return names.map((name) => {
    const file = files.find((file) => file.startsWith(`${name}_`));
    if (file === undefined) throw new Error(`Debian has no package ${name} for ${architecture}`);
    return { name, file, directory: `${ROOT}/${architecture}/${plainName(file)}` };
  });
}

/** Without the epoch of the version, which has a colon, and the ending. */
function plainName(file: string): string {
  return file.replace(/_\d+%3a/, "_").replace(/\.deb$/, "");
}

/** Downloads packages, whose checksums apt-get proves, and unpacks each in one step: all or nothing. */
function bring(architecture: DebianArchitecture, packages: readonly Located[]): void {
  say(`Bringing from Debian for ${architecture}: ${packages.map(({ name }) => name).join(", ")} …`);
  const part = `${ROOT}/${architecture}/part`;
  if (exists(part)) Deno.removeSync(part, { recursive: true });
  Deno.mkdirSync(part);
  apt(architecture, "apt-get", ["download", ...packages.map(({ name }) => name)], part);
  for (const { name, file, directory } of packages) {
    for (const old of [...Deno.readDirSync(`${ROOT}/${architecture}`)]) {
      if (!old.name.startsWith(`${name}_`)) continue;
      Deno.removeSync(`${ROOT}/${architecture}/${old.name}`, { recursive: true });
    }
    run("dpkg-deb", ["--extract", file, "tree"], part);
    Deno.renameSync(`${part}/tree`, directory);
  }
  Deno.removeSync(part, { recursive: true });
}

function refresh(architecture: DebianArchitecture): void {
  const stamp = `${ROOT}/${architecture}/apt/refreshed`;
  const age = exists(stamp) ? Date.now() - (Deno.statSync(stamp).mtime?.getTime() ?? 0) : Infinity;
  if (age < FRESH_MS) return;
  say(`Reading Debian's package lists for ${architecture} …`);
  try {
    apt(architecture, "apt-get", ["update"]);
  } catch (error) {
    if (age === Infinity) throw error;
    say(`Going on with older lists: ${(error as Error).message}`);
  }
  Deno.writeTextFileSync(stamp, "");
}

function apt(
  architecture: DebianArchitecture,
  command: string,
  args: readonly string[],
  cwd?: string,
): string {
  const home = `${ROOT}/${architecture}/apt`;
  for (const directory of ["state/lists/partial", "cache/archives/partial"]) {
    Deno.mkdirSync(`${home}/${directory}`, { recursive: true });
  }
  const status = `${home}/state/status`;
  if (!exists(status)) Deno.writeTextFileSync(status, "");
  const settings = [
    `APT::Architecture=${architecture}`,
    `APT::Architectures::=${architecture}`,
    `Dir::State=${home}/state`,
    `Dir::State::status=${status}`,
    `Dir::Cache=${home}/cache`,
    // Root's downloads stay root's: the directories are the project's.
    "APT::Sandbox::User=root",
  ];
  return run(command, ["--quiet=2", ...settings.flatMap((setting) => ["-o", setting]), ...args], cwd);
}

/** One at a time: the lists and the directory of the parts are one. */
function lock(architecture: DebianArchitecture): Disposable {
  Deno.mkdirSync(`${ROOT}/${architecture}`, { recursive: true });
  const file = Deno.openSync(`${ROOT}/${architecture}/lock`, { write: true, create: true });
  file.lockSync(true);
  return file;
}

function run(command: string, args: readonly string[], cwd: string = ROOT): string {
  const { success, stdout, stderr } = new Deno.Command(command, {
    args: [...args],
    cwd,
    stdin: "null",
    env: { LC_ALL: "C" },
  }).outputSync();
  if (!success) {
    const said = new TextDecoder().decode(stderr).trim();
    throw new Error(`${command} ${args.filter((a) => !/^-o$|^\w+::/.test(a)).join(" ")} failed: ${said}`);
  }
  return new TextDecoder().decode(stdout);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function say(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}
