import assert from "node:assert/strict";
import { findProgram, giveBackAfterStart } from "../../../src/daemon/after_start.ts";

const MAPS = `2fa8f8e40000-2fa8f8e60000 r--p 00000000 00:00 0
55557efd3000-55557f4a0000 rw-p 00000000 00:00 0                          [heap]
7fe126400000-7fe126426000 r--p 00000000 fe:00 771  /var/cache/tp roxy/libc.so.6
7fe126426000-7fe12657c000 r-xp 00026000 fe:00 771  /var/cache/tp roxy/libc.so.6
7fe126800000-7fe12838e000 r--p 00000000 fe:00 770                        /var/cache/tp roxy/deno
7fe128604000-7fe12c2f8000 r-xp 01e03000 fe:00 770                        /var/cache/tp roxy/deno
7fe12c2f8000-7fe12c56a000 rw-p 05af6000 fe:00 770                        /var/cache/tp roxy/deno
7fe12c56a000-7fe12c56b000 r--p 05d68000 fe:00 770                        /var/cache/tp roxy/deno
7ffd00000000-7ffd00001000 r-xp 00000000 00:00 0                          [vdso]
`;

Deno.test("findProgram() is the code of the largest program and what stands before it, nothing that may be relocated", () => {
  assert.deepEqual(findProgram(MAPS), [
    { start: 0x7fe126800000n, end: 0x7fe12838e000n },
    { start: 0x7fe128604000n, end: 0x7fe12c2f8000n },
  ]);
});

Deno.test("findProgram() finds nothing in what is no list of mappings", () => {
  assert.deepEqual(findProgram(""), []);
  assert.deepEqual(findProgram("rubbish\n1-2 r--p 0 0:0 1 /etc/passwd\n"), []);
});

Deno.test("findProgram() finds the runtime that runs this test, and no page of it that has been written to", () => {
  const found = findProgram(Deno.readTextFileSync("/proc/self/maps"));
  assert.ok(found.length >= 2, `${found.length} mappings`);
  const sections = Deno.readTextFileSync("/proc/self/smaps").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  for (const { start } of found) {
    const section = sections.find((text) => text.startsWith(`${start.toString(16)}-`));
    assert.match(section ?? "", /^Anonymous: +0 kB$/m);
  }
});

Deno.test("giveBackAfterStart() makes this process smaller, and it goes on", () => {
  const fileBytes = () =>
    Number(/^RssFile:\s+(\d+) kB/m.exec(Deno.readTextFileSync("/proc/self/status"))![1]) * 1024;
  const before = fileBytes();
  giveBackAfterStart(Deno.readTextFileSync);
  const after = fileBytes();
  assert.ok(after < before / 2, `${before} bytes of files before, ${after} after`);
  assert.equal([3, 1, 2].sort().join(), "1,2,3");
  giveBackAfterStart(() => {
    throw new Deno.errors.NotFound("no /proc");
  });
});
