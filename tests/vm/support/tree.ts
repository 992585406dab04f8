/**
 * Contents of a machine's root: a list of files, from this machine or made up.
 * @module
 */

/** Origin of a file's bytes. */
export type FileSource =
  /** A file of this machine, with its mode. */
  | string
  /** A text; the mode is 0644 unless given. */
  | { readonly text: string; readonly mode?: number };

/** One entry of a root. Directories above it are made as needed. */
export type Entry =
  | { readonly kind: "file"; readonly mode: number; readonly content: Uint8Array<ArrayBuffer> }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "directory" };

/** The entries of a root by their paths, without a slash in front; a later one replaces an earlier one. */
export class Tree {
  readonly #entries = new Map<string, Entry>();

  /** Puts a file, and the directories above it. */
  file(path: string, source: FileSource): this {
    if (typeof source === "string") {
      const mode = (Deno.statSync(source).mode ?? 0o644) & 0o7777;
      return this.#put(path, { kind: "file", mode, content: Deno.readFileSync(source) });
    }
    const content = new TextEncoder().encode(source.text);
    return this.#put(path, { kind: "file", mode: source.mode ?? 0o644, content });
  }

  /** Puts a symbolic link. */
  link(path: string, target: string): this {
    return this.#put(path, { kind: "link", target });
  }

  /** Makes a directory. */
  directory(path: string): this {
    return this.#put(path, { kind: "directory" });
  }

  /** Copies a directory of this machine to `path`, of files those whose path below it passes. */
  copy(path: string, directory: string, passes: (path: string) => boolean = () => true): this {
    const walk = (below: string): void => {
      for (const { name, isDirectory, isSymlink } of Deno.readDirSync(`${directory}${below}`)) {
        const source = `${directory}${below}/${name}`;
        if (isDirectory) walk(`${below}/${name}`);
        else if (!passes(`${below}/${name}`)) continue;
        else if (isSymlink) this.link(`${path}${below}/${name}`, Deno.readLinkSync(source));
        else this.file(`${path}${below}/${name}`, source);
      }
    };
    walk("");
    return this;
  }

  /** All entries; a directory stands before what is in it. */
  *entries(): Generator<[string, Entry]> {
    yield* [...this.#entries].sort(([a], [b]) => a < b ? -1 : 1);
  }

  #put(path: string, entry: Entry): this {
    const plain = path.replace(/^\/+/, "");
    if (entry.kind === "directory" && this.#entries.get(plain)?.kind === "link") return this;
    this.#entries.set(plain, entry);
    const parent = plain.slice(0, Math.max(0, plain.lastIndexOf("/")));
    if (parent !== "" && !this.#entries.has(parent)) this.directory(parent);
    return this;
  }
}
