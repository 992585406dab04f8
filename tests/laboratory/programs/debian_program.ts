/**
 * Programs of Debian that a machine should not have installed for a test: their packages are unpacked into
 * the laboratory's directory.
 * @module
 */
import type { Lab } from "../lab.ts";
import { runProgram } from "../program.ts";

/** Python's own place of them. */
export const PYTHON = "/usr/bin/python3";

/** For the options of a test: why packages cannot be got here, if so. */
export function packagesObstacle(packages: readonly string[], modules: readonly string[] = []): {
  obstacle?: string;
} {
  const answers = (command: string, args: readonly string[]) => {
    try {
      return new Deno.Command(command, { args: [...args], stdout: "null", stderr: "null" }).outputSync()
        .success;
    } catch {
      return false;
    }
  };
  const isKnown = answers("apt-get", ["download", "-qq", "--print-uris", ...packages]);
  if (!isKnown) return { obstacle: `needs Debian's packages ${packages.join(", ")}` };
  const runs = answers(PYTHON, ["-c", ["import sys", ...modules.map((name) => `import ${name}`)].join("\n")]);
  return runs ? {} : { obstacle: `needs ${PYTHON} with ${["its library", ...modules].join(", ")}` };
}

/** Unpacks packages, and gives the directory that stands for `/`. */
export async function unpackPackages(lab: Lab, packages: readonly string[]): Promise<string> {
  const root = `${lab.directory}/debian`;
  await runProgram([
    "sh",
    "-ec",
    `mkdir -p ${root}/packages; cd ${root}/packages
    apt-get download -qq ${packages.join(" ")}
    for package in *.deb; do dpkg -x $package ${root}; done`,
  ]);
  return root;
}
