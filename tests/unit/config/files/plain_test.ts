import assert from "node:assert/strict";
import { readDomainLists } from "../../../../src/config/files/domain_lists.ts";
import { loadText } from "../../../../src/config/load.ts";

Deno.test("lists are not read from what never ends", () => {
  const text = (key: string) => `rules: [{ action: block, ${key}: /dev/zero }]`;
  assert.throws(
    () => loadText(text("from-file"), "f"),
    /^OperationError: f:1:37: rules\[0\]\.from-file: cannot read \/dev\/zero: it is not a plain file$/,
  );
  assert.throws(
    () => readDomainLists(loadText(text("domains-file"), "f"), Deno.readFileSync),
    /^OperationError: f:1:26: rules\[0\]\.domains-file: cannot read \/dev\/zero: it is not a plain file$/,
  );
});
