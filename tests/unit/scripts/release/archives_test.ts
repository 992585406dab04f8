/** The archives that packages are made of; tar judges. The laboratory has dpkg judge whole packages. */
import assert from "node:assert/strict";
import { writeAr } from "../../../../scripts/lib/release/archive/ar.ts";
import { gzip } from "../../../../scripts/lib/release/archive/compress.ts";
import { writeTar } from "../../../../scripts/lib/release/archive/tar.ts";
import { joinFiles, type PackageFile, textFile } from "../../../../scripts/lib/release/content/file.ts";
import { runFilter } from "../../../../scripts/lib/release/filter.ts";

const MTIME = 1_700_000_000;
const FILES: PackageFile[] = [
  textFile("usr/bin/tool", "#!/bin/sh\n", 0o755),
  textFile("usr/lib/tool-data/x", "x".repeat(513)),
  { path: "usr/lib/tool/link", target: "../tool-data/x" },
  textFile("etc/empty", ""),
];
const LISTING = `drwxr-xr-x 0/0               0 2023-11-14 22:13:20 ./
drwxr-xr-x 0/0               0 2023-11-14 22:13:20 ./etc/
-rw-r--r-- 0/0               0 2023-11-14 22:13:20 ./etc/empty
drwxr-xr-x 0/0               0 2023-11-14 22:13:20 ./usr/
drwxr-xr-x 0/0               0 2023-11-14 22:13:20 ./usr/bin/
-rwxr-xr-x 0/0              10 2023-11-14 22:13:20 ./usr/bin/tool
drwxr-xr-x 0/0               0 2023-11-14 22:13:20 ./usr/lib/
drwxr-xr-x 0/0               0 2023-11-14 22:13:20 ./usr/lib/tool-data/
-rw-r--r-- 0/0             513 2023-11-14 22:13:20 ./usr/lib/tool-data/x
drwxr-xr-x 0/0               0 2023-11-14 22:13:20 ./usr/lib/tool/
lrwxrwxrwx 0/0               0 2023-11-14 22:13:20 ./usr/lib/tool/link -> ../tool-data/x
`;

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("writeTar() writes what tar lists: parents first, root's, one time", async () => {
  const tar = writeTar(joinFiles(FILES), { mtime: MTIME });
  const listing = await runFilter("tar", ["--utc", "--full-time", "--numeric-owner", "-tvf", "-"], tar);
  assert.equal(decode(listing), LISTING);
  assert.equal(decode(await runFilter("tar", ["-xOf", "-", "./usr/lib/tool-data/x"], tar)), "x".repeat(513));
});

Deno.test("writeTar() gives the same bytes whatever the order of the files", () => {
  const one = writeTar(joinFiles(FILES), { mtime: MTIME });
  assert.deepEqual(writeTar(joinFiles([...FILES].reverse()), { mtime: MTIME }), one);
});

Deno.test("writeTar() refuses a name that a plain header cannot hold", () => {
  assert.throws(() => writeTar([textFile("a".repeat(99), "")], { mtime: 0 }), /Too long/);
  assert.throws(() => writeTar([{ path: "a", target: "b".repeat(101) }], { mtime: 0 }), /Too long/);
});

Deno.test("joinFiles() refuses paths that are not a package's, and two of a name", () => {
  for (const path of ["/etc/x", "../x", "a//b", "a/./b", "", "a/"]) {
    assert.throws(() => joinFiles([textFile(path, "")]), /Not a path/, path);
  }
  assert.throws(() => joinFiles([textFile("a", "1")], [textFile("a", "1")]), /Two files .* a$/);
});

Deno.test("writeAr() writes deb(5)'s layout, members of odd size too", () => {
  const archive = writeAr([
    { name: "debian-binary", content: new TextEncoder().encode("2.0\n") },
    { name: "odd", content: new TextEncoder().encode("odd") },
    { name: "last", content: new TextEncoder().encode("end") },
  ], { mtime: MTIME });
  const header = (name: string, size: number) =>
    `${name.padEnd(16)}1700000000  0     0     100644  ${String(size).padEnd(10)}\x60\n`;
  assert.equal(
    decode(archive),
    `!<arch>\n${header("debian-binary", 4)}2.0\n${header("odd", 3)}odd\n${header("last", 3)}end\n`,
  );
  assert.throws(
    () => writeAr([{ name: "0123456789abcdef", content: new Uint8Array() }], { mtime: 0 }),
    /Too long/,
  );
});

Deno.test("gzip() leaves no time or name", async () => {
  const once = await gzip(new TextEncoder().encode("text"));
  assert.deepEqual([...once.subarray(0, 8)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
});

Deno.test("runFilter() tells what a program that fails said", async () => {
  await assert.rejects(
    runFilter("gzip", ["-dc"], new Uint8Array(1e6)),
    /gzip failed \(exit 1\): .*not in gzip format/,
  );
});
