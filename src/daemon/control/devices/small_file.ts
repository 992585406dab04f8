/**
 * Files that others may write: none is longer than it may be, whatever it seems to be.
 * @module
 */

/** Reads a text; undefined: there is none, it is longer, or this process may not read it. */
export async function readSmallFile(path: string, longest: number): Promise<string | undefined> {
  try {
    // Who may put a file there may put another in its place: what was opened counts.
    if (!(await Deno.stat(path)).isFile) return undefined;
    using file = await Deno.open(path);
    if (!(await file.stat()).isFile) return undefined;
    const bytes = new Uint8Array(longest + 1);
    let length = 0;
    while (length < bytes.length) {
      const read = await file.read(bytes.subarray(length));
      if (read === null) return new TextDecoder().decode(bytes.subarray(0, length));
      length += read;
    }
    return undefined;
  } catch {
    return undefined;
  }
}
