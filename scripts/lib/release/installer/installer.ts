/**
 * install.sh of a release: the script with what only the release knows. Pure.
 * @module
 */

/** Facts that are written into the script. */
export interface InstallerFacts {
  readonly version: string;
  /** Address of the files; undefined: the user of the script has to name it. */
  readonly url?: string | undefined;
  /** Bytes of the single files, by architecture. */
  readonly sizes: { readonly x86_64: number; readonly aarch64: number };
}

/** Fills in the script's `@NAMES@`; throws if one is unknown, missing or would end the quotes around it. */
export function formatInstaller(template: string, { version, url = "", sizes }: InstallerFacts): string {
  const values: Record<string, string> = {
    VERSION: version,
    URL: url,
    SIZE_X86_64: String(Math.ceil(sizes.x86_64 / 1024)),
    SIZE_AARCH64: String(Math.ceil(sizes.aarch64 / 1024)),
  };
  for (const [name, value] of Object.entries(values)) {
    if (!template.includes(`@${name}@`)) throw new Error(`install.sh has no @${name}@`);
    if (/['\\\n]/.test(value)) throw new RangeError(`Cannot put into a shell script: ${value}`);
  }
  return template.replaceAll(/@([A-Z_0-9]+)@/g, (all, name: string) => {
    if (!(name in values)) throw new Error(`install.sh has an unknown ${all}`);
    return values[name];
  });
}
