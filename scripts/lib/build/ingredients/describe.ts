/**
 * A product's description of itself: `build.json` for `--version`, `licenses.txt` for `licenses`. Both lie
 * beside the program.
 * @module
 */
import { launcherPackages } from "./launcher.ts";
import { bringNpmPackage } from "../parts/npm.ts";
import { bringDebianPackage, NPM_PINS } from "../parts/pins.ts";
import { PROJECT, VERSION } from "../project.ts";
import { run } from "../run.ts";
import { runtimePackages } from "./runtime.ts";
import type { Target } from "../target.ts";

/** A part of the product that somebody else has made. */
interface Part {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly text: string;
}

/** The two files, by name. */
export function describeBuild(target: Target): Map<string, string> {
  return new Map([
    ["build.json", `${JSON.stringify({ version: VERSION, commit: readCommit() })}\n`],
    ["licenses.txt", formatLicenses([...npmParts(), ...debianParts(target)])],
  ]);
}

/** The commit of the sources, with `-dirty` where they differ from it; "unknown" outside of git. */
function readCommit(): string {
  const said = run("sh", [
    "-c",
    `git -c safe.directory="$PWD" describe --always --dirty --abbrev=12 --exclude='*' || true`,
  ]);
  return said.trim() || "unknown";
}

function npmParts(): Part[] {
  const bundled = Object.values<string>(readJson(`${PROJECT}/deno.json`).imports as Record<string, string>);
  return [
    {
      name: "deno",
      version: NPM_PINS.get("deno")!,
      license: "MIT; its V8 is under the BSD 3-Clause license",
      text: Deno.readTextFileSync(`${bringNpmPackage("deno")}/LICENSE`),
    },
    ...bundled.map((specifier): Part => {
      const [, name, version] = /^npm:(.+)@([^@]+)$/.exec(specifier)!;
      const directory = `${Deno.env.get("DENO_DIR")}/npm/registry.npmjs.org/${name}/${version}`;
      const file = [...Deno.readDirSync(directory)].find((entry) => /^licen[cs]e/i.test(entry.name))!;
      return {
        name,
        version,
        license: String(readJson(`${directory}/package.json`).license),
        text: Deno.readTextFileSync(`${directory}/${file.name}`),
      };
    }),
  ];
}

/** Debian's packages: the place of their copyright, and the licence of the files that a product takes. */
const DEBIAN_LICENSES: Readonly<
  Record<string, { license: string; documents: string; texts: readonly string[] }>
> = {
  "libc6": { license: "LGPL 2.1 or later", documents: "libc6", texts: ["LGPL-2.1"] },
  "libgcc-s1": {
    license: "GPL 3 or later with the GCC Runtime Library Exception",
    documents: "gcc-12-base",
    texts: ["GPL-3"],
  },
  "liblzma-dev": { license: "public domain", documents: "liblzma-dev", texts: [] },
};

function debianParts(target: Target): Part[] {
  return [...runtimePackages(target), ...launcherPackages(target)].map(({ name, version, root }): Part => {
    const { license, documents, texts } = DEBIAN_LICENSES[name];
    const home = documents === name ? root : bringDebianPackage(documents, target).root;
    const common = `${bringDebianPackage("base-files", target).root}/usr/share/common-licenses`;
    const files = [
      `${home}/usr/share/doc/${documents}/copyright`,
      ...texts.map((text) => `${common}/${text}`),
    ];
    return { name, version, license, text: files.map((file) => Deno.readTextFileSync(file)).join("\n") };
  });
}

function formatLicenses(parts: readonly Part[]): string {
  const width = Math.max(...parts.map(({ name }) => name.length));
  const long = Math.max(...parts.map(({ version }) => version.length));
  const rows = parts.map(({ name, version, license }) =>
    `  ${name.padEnd(width)}  ${version.padEnd(long)}  ${license}\n`
  );
  const own = Deno.readTextFileSync(`${PROJECT}/LICENSE`);
  const texts = [{ name: "tproxy", text: own }, ...parts].map(({ name, text }) =>
    `\n---- ${name} ----\n\n${text.trim()}\n`
  );
  return `tproxy ${VERSION} is under the MIT license. With it come, unchanged:\n\n${rows.join("")}${
    texts.join("")
  }`;
}

function readJson(path: string): Record<string, unknown> {
  return JSON.parse(Deno.readTextFileSync(path));
}
