/**
 * A damaged file says so and starts nothing.
 * @module
 */
import assert from "node:assert/strict";
import { layerOf, readPortable, writeVariant } from "../../laboratory/portable/portable.ts";
import { fails, portableTest } from "../../laboratory/portable/product_copy.ts";

portableTest("refuses to start when the file itself is damaged", async (copy) => {
  const portable = readPortable(copy.file);
  const broken = `${copy.directory}/broken`;
  const flip = (at: number) => {
    const bytes = portable.bytes.slice();
    bytes[at] ^= 1;
    return bytes;
  };
  for (const name of ["runtime", "program"]) {
    const { offset, size } = layerOf(portable, name);
    for (const at of [offset, offset + (size >> 1), offset + size - 1]) {
      Deno.writeFileSync(broken, flip(at), { mode: 0o755 });
      const reason = new RegExp(
        `broken is damaged: the hash of its ${name} is wrong\\. Copy it again\\.\\n$`,
      );
      fails(await copy.run([broken, "--version"], { TPROXY_CACHE_DIR: `${copy.cache}-${at}` }), reason);
      const left = [...Deno.readDirSync(`${copy.cache}-${at}`)].map((entry) => entry.name);
      assert.ok(left.every((name) => !name.startsWith(".unpack")), left.join(" "));
    }
  }
  const other = portable.lines.map((line) =>
    line.replace(/^(layer program \S+ )\w/, (_, start) => `${start}g`)
  );
  writeVariant(broken, portable, { lines: other });
  fails(await copy.run([broken, "--version"]), /unknown line in its index: layer program/);
  const swapped = portable.lines.map((line) =>
    line.replace(/^(layer program \S+ )\w{8}/, (_, start) => `${start}00000000`)
  );
  writeVariant(broken, portable, { lines: swapped });
  fails(await copy.run([broken, "--version"]), /the hash of its program is wrong/);
  Deno.writeFileSync(broken, flip(portable.indexAt + 10), { mode: 0o755 });
  fails(await copy.run([broken, "--version"]), /the hash of its index is wrong/);
  Deno.writeFileSync(broken, portable.bytes.subarray(0, 20_000_000), { mode: 0o755 });
  fails(await copy.run([broken, "--version"]), /its end is missing \(20000000 bytes are there\)/);
});
