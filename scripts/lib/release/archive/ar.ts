/**
 * ar archives, as a `.deb` is one: see deb(5). Pure.
 * @module
 */

/** A member of the archive. */
export interface Member {
  readonly name: string;
  readonly content: Uint8Array;
}

/**
 * Writes the members in their order, owned by root, at a time in seconds since 1970. Throws for names over 15
 * bytes.
 */
export function writeAr(members: readonly Member[], options: { mtime: number }): Uint8Array {
  const parts: Uint8Array[] = [encode("!<arch>\n")];
  for (const { name, content } of members) {
    if (name.length > 15) throw new RangeError(`Too long for an ar archive: "${name}"`);
    const fields = [
      name.padEnd(16),
      String(options.mtime).padEnd(12),
      "0".padEnd(6),
      "0".padEnd(6),
      "100644".padEnd(8),
      String(content.length).padEnd(10),
    ];
    parts.push(encode(`${fields.join("")}\`\n`), content);
    if (content.length % 2 === 1) parts.push(encode("\n"));
  }
  const archive = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    archive.set(part, at);
    at += part.length;
  }
  return archive;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
