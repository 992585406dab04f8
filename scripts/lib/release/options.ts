/**
 * Options of `scripts/release`. Pure.
 * @module
 */

/** The options. */
export interface ReleaseOptions {
  /**
   * Future address of the files, without a slash at the end; undefined: the user of install.sh has to name
   * it.
   */
  readonly url?: string;
  /** The work tree may differ from its commit. */
  readonly allowDirty: boolean;
  /** dist/ is taken as it is, not built again. */
  readonly keepBuild: boolean;
}

/** Output of `--help`. */
export const USAGE = `Usage: scripts/release [--url URL] [--keep-build] [--allow-dirty]
Builds every form of the program for both architectures and makes of them what is published, in dist/release/:
single files, .deb, .ipk, install.sh, a bill of materials, SHA256SUMS. The same commit gives the same bytes.

  --url URL       where the files will lie, for install.sh; without it, install.sh wants the variable TPROXY_URL
  --keep-build    take dist/ as it is instead of building again
  --allow-dirty   go on although the work tree differs from its commit
`;

/** Reads the arguments; a text is what is wrong with them. */
export function parseOptions(args: readonly string[]): ReleaseOptions | string {
  let options: ReleaseOptions = { allowDirty: false, keepBuild: false };
  for (let i = 0; i < args.length; i++) {
    const [name, attached] = args[i].split(/=(.*)/s, 2);
    if (args[i] === "--allow-dirty") options = { ...options, allowDirty: true };
    else if (args[i] === "--keep-build") options = { ...options, keepBuild: true };
    else if (name === "--url") {
      const url = attached ?? args[++i];
      // The text becomes part of a shell script.
      if (!/^https?:\/\/[\w.:\/%~+@-]+$/.test(url ?? "")) {
        return `--url wants an http or https address: ${url}`;
      }
      options = { ...options, url: url.replace(/\/+$/, "") };
    } else return `There is no option ${args[i]}`;
  }
  return options;
}
