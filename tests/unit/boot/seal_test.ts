import assert from "node:assert/strict";
import { checksum, readSeal, sealFile } from "../../../src/boot/seal.ts";
import { SETTINGS } from "./support/settings.ts";

const FILE = { path: "/x", mode: 0o644, text: "[Unit]\nDescription=x\n" };
const SCRIPT = { path: "/y", mode: 0o755, text: "#!/bin/sh\nexit 0\n" };
const ORIGIN = { maker: "install", manager: "systemd" } as const;

Deno.test("checksum() is zlib's CRC-32", () => {
  // Written out by Python's zlib.crc32.
  assert.equal(checksum(""), "00000000");
  assert.equal(checksum("123456789"), "cbf43926");
  assert.equal(checksum("Größe\n"), "5f9e8ce8");
});

Deno.test("sealFile() puts a head of two comments on a file, behind the first line of a script", () => {
  const [unit, script] = [FILE, SCRIPT].map((file) => sealFile(file, SETTINGS, ORIGIN).text.split("\n"));
  assert.match(unit[0], /^# Made by "tproxy install --boot systemd"; .* Checksum: [0-9a-f]{8}\.$/);
  assert.equal(
    unit[1],
    '# Settings: {"binary":"/usr/bin/tproxy","drainSeconds":30,"mark":1,"backend":"netlink"}',
  );
  assert.deepEqual(unit.slice(2), ["[Unit]", "Description=x", ""]);
  assert.equal(script[0], "#!/bin/sh");
  assert.match(script[1], /^# Made by/);
  assert.deepEqual(script.slice(3), ["exit 0", ""]);
});

Deno.test("readSeal() knows what was sealed, and sees any change of it", () => {
  for (const file of [FILE, SCRIPT]) {
    for (const maker of ["install", "package"] as const) {
      const { text } = sealFile(file, SETTINGS, { ...ORIGIN, maker });
      assert.deepEqual(readSeal(text), { maker, manager: "systemd", intact: true, settings: SETTINGS });
      const changed = [
        `${text}#\n`,
        text.replace('"mark":1', '"mark":2'),
        text.replace("exit 0", "exit 1")
          .replace("Description=x", "Description=y"),
      ];
      for (const other of changed) assert.equal(readSeal(other)?.intact, false, other);
    }
  }
});

Deno.test("readSeal() takes what has no head for somebody else's", () => {
  const { text } = sealFile(FILE, SETTINGS, ORIGIN);
  const strangers = [
    "",
    "[Unit]\n",
    text.split("\n").slice(1).join("\n"),
    text.replace("# Settings: {", "# {"),
  ];
  for (const stranger of strangers) assert.equal(readSeal(stranger), undefined, stranger);
});
