import assert from "node:assert/strict";
import { writeCpio } from "../../vm/support/cpio.ts";
import { Tree } from "../../vm/support/tree.ts";

/** Reads an archive as the kernel does: type and mode in octal, and content, by name. */
function readCpio(path: string): [string, string, string][] {
  const bytes = Deno.readFileSync(path);
  const text = new TextDecoder("latin1").decode(bytes);
  const entries: [string, string, string][] = [];
  for (let at = 0;;) {
    assert.equal(text.slice(at, at + 6), "070701");
    const field = (index: number) => parseInt(text.slice(at + 6 + 8 * index, at + 14 + 8 * index), 16);
    const [mode, size, nameSize] = [field(1), field(6), field(11)];
    const name = text.slice(at + 110, at + 110 + nameSize - 1);
    const content = (at + 110 + nameSize + 3) & ~3;
    if (name === "TRAILER!!!") return entries;
    entries.push([name, mode.toString(8), text.slice(content, content + size)]);
    at = (content + size + 3) & ~3;
  }
}

Deno.test("writeCpio() writes what the kernel unpacks: directories before what is in them", () => {
  const path = Deno.makeTempFileSync();
  try {
    const tree = new Tree().file("/usr/bin/x", { text: "#!/bin/sh\n", mode: 0o755 }).link("bin/sh", "busybox")
      .directory("proc").file("bin/busybox", { text: "abcde" });
    writeCpio(path, tree);
    assert.deepEqual(readCpio(path), [
      ["bin", "40755", ""],
      ["bin/busybox", "100644", "abcde"],
      ["bin/sh", "120755", "busybox"],
      ["proc", "40755", ""],
      ["usr", "40755", ""],
      ["usr/bin", "40755", ""],
      ["usr/bin/x", "100755", "#!/bin/sh\n"],
    ]);
  } finally {
    Deno.removeSync(path);
  }
});

Deno.test("Tree.copy() takes the files that pass, and links as links", () => {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.mkdirSync(`${directory}/lib`);
    Deno.writeTextFileSync(`${directory}/lib/a.so.1`, "a");
    Deno.writeTextFileSync(`${directory}/lib/readme`, "no");
    Deno.symlinkSync("a.so.1", `${directory}/lib/a.so`);
    const tree = new Tree().copy("usr", directory, (path) => path.includes(".so"));
    assert.deepEqual([...tree.entries()].map(([name, { kind }]) => [name, kind]), [
      ["usr", "directory"],
      ["usr/lib", "directory"],
      ["usr/lib/a.so", "link"],
      ["usr/lib/a.so.1", "file"],
    ]);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
