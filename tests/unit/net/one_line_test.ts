import assert from "node:assert/strict";
import { oneLine } from "../../../src/net/one_line.ts";

Deno.test("oneLine() escapes what starts a line or commands a terminal, and nothing else", () => {
  assert.equal(oneLine("a\nb\r\x1b[2J\t\u2028"), "a\\u000ab\\u000d\\u001b[2J\\u0009\\u2028");
  assert.equal(oneLine('Zürich "80 %" \\n'), 'Zürich "80 %" \\n');
});
