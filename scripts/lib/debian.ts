/**
 * Debian's packages of any architecture as directories, without installing anything or telling dpkg of a
 * foreign architecture: apt-get works on lists and caches of its own below .cache, with the machine's sources
 * and keys.
 *
 * ```
 * .cache/debian/arm64/apt/                                 what apt-get knows
 * .cache/debian/arm64/busybox-static_1.35.0-4_arm64/       one package, unpacked; kept
 * ```
 * @module
 */
import { exists } from "./build/disk.ts";

/** Debian's names of the architectures. */
export type DebianArchitecture = "amd64" | "arm64";

/** A package that must be of one version, as Debian's lists of that day had it. */
export interface DebianPin {
  readonly architecture: string;
  readonly name: string;
  readonly version: string;
  /** Of the .deb. */
  readonly sha256: string;
}

/** A package, unpacked. */
export interface DebianPackage extends DebianPin {
  /** The directory of its files, without a slash at the end. */
  readonly root: string;
}

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
 * Brings a package in a pinned version. Where the mirrors have dropped that version, brings Debian's present
 * one and says so. A package that is there already needs no network.
 *
 * @throws {Error} apt-get or dpkg-deb is missing or failed, or the package is not the pinned one
 */
export function bringPinnedPackage(pin: DebianPin): DebianPackage {
  const architecture = pin.architecture as DebianArchitecture;
  const place = (version: string) =>
    `${ROOT}/${architecture}/${pin.name}_${version.replace(/^\d+:/, "")}_${architecture}`;
  if (exists(place(pin.version))) return { ...pin, root: place(pin.version) };
  using _lock = lock(architecture);
  refresh(architecture);
  const version = presentVersions(architecture, pin.name).includes(pin.version)
    ? pin.version
    : replacePinned(pin, presentVersions(architecture, pin.name)[0]);
  const [located] = locate(architecture, [`${pin.name}=${version}`]);
  const { sha256, directory: root } = located;
  if (version === pin.version && sha256 !== pin.sha256) {
    throw new Error(
      `Debian's ${pin.name} ${version} is not what it was: SHA-256 ${sha256}, not ${pin.sha256}`,
    );
  }
  if (!exists(root)) bring(architecture, [located]);
  return { ...pin, version, sha256, root };
}

function replacePinned(pin: DebianPin, version: string | undefined): string {
  if (version === undefined) throw new Error(`Debian has no package ${pin.name} for ${pin.architecture}`);
  say(`Debian has ${pin.name} ${pin.version} for ${pin.architecture} no more: taking ${version}`);
  return version;
}

/** The newest first. */
function presentVersions(architecture: DebianArchitecture, name: string): string[] {
  const lines = apt(architecture, "apt-cache", ["madison", name]).split("\n");
  return lines.map((line) => line.split("|")[1]?.trim() ?? "").filter((version) => version !== "");
}

/**
 * The package that a package depends on, by the beginning of its name: `linux-image-arm64` names the kernel
 * of today, `linux-image-6.1.0-56-arm64`, so.
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

/** One package in one version. */
interface Located {
  readonly name: string;
  /** `name`, or `name=version`, as apt-get understands it. */
  readonly wanted: string;
  /** Name that apt-get gives it. */
  readonly file: string;
  /** The directory into which it is unpacked, now or later. */
  readonly directory: string;
  readonly sha256: string;
}

/** Finds the packages that apt-get would bring, for names or `name=version`. */
function locate(architecture: DebianArchitecture, names: readonly string[]): Located[] {
  const lines = apt(architecture, "apt-get", ["download", "--print-uris", ...names]).split("\n");
  return names.map((wanted) => {
    const [name] = wanted.split("=");
    const line = lines.map((line) => line.split(" ")).find(([, file]) => file?.startsWith(`${name}_`));
    if (line === undefined) throw new Error(`Debian has no package ${wanted} for ${architecture}`);
    const [, file, , hash = ""] = line;
    const directory = `${ROOT}/${architecture}/${plainName(file)}`;
    return { name, wanted, file, directory, sha256: /^SHA256:(\w+)$/.exec(hash)?.[1] ?? "" };
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
  apt(architecture, "apt-get", ["download", ...packages.map(({ wanted }) => wanted)], part);
  for (const { file, directory } of packages) {
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

function say(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}
