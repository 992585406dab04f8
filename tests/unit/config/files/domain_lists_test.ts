import assert from "node:assert/strict";
import { readDomainLists } from "../../../../src/config/files/domain_lists.ts";
import { loadText } from "../../../../src/config/load.ts";

const LOADED = loadText(
  "rules:\n  - { action: block, domains-file: [/a, /b] }\n  - { action: direct, domains-file: /a }\n",
  "f",
);

Deno.test("readDomainLists() reads each list once", () => {
  const read: string[] = [];
  const lists = readDomainLists(LOADED, (path) => {
    read.push(path);
    return new Uint8Array(read.length);
  });
  assert.deepEqual(read, ["/a", "/b"]);
  assert.deepEqual([...lists].map(([path, { length }]) => [path, length]), [["/a", 1], ["/b", 2]]);
});

Deno.test("readDomainLists() says which rule names a list that cannot be read", () => {
  const gone = () => {
    throw new Deno.errors.NotFound("no such file");
  };
  assert.throws(
    () => readDomainLists(LOADED, (path) => path === "/a" ? new Uint8Array() : gone()),
    /^OperationError: f:2:22: rules\[0\]\.domains-file: cannot read \/b: no such file$/s,
  );
  assert.throws(() => readDomainLists(LOADED, () => new Uint8Array((64 << 20) + 1)), /larger than 64 MiB/);
});
