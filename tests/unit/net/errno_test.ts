import assert from "node:assert/strict";
import * as table from "../../../src/net/errno.ts";
import { errnoCode, errnoNumber, errnoText } from "../../../src/net/errno.ts";

Deno.test("errnoCode(), errnoText() and errnoNumber() agree with errno(3)", () => {
  for (
    const [number, code, text] of [
      [1, "EPERM", "Operation not permitted"],
      [11, "EAGAIN", "Resource temporarily unavailable"],
      [17, "EEXIST", "File exists"],
      [104, "ECONNRESET", "Connection reset by peer"],
      [132, "ERFKILL", "Operation not possible due to RF-kill"],
    ] as const
  ) {
    assert.equal(errnoCode(number), code);
    assert.equal(errnoText(number), text);
    assert.equal(errnoNumber(code), number);
  }
});

Deno.test("each constant has the number of its name in the table", () => {
  const names = Object.keys(table).filter((name) => /^E[A-Z0-9]+$/.test(name));
  assert.ok(names.length >= 15);
  for (const name of names) assert.equal(table[name as keyof typeof table], errnoNumber(name), name);
});

Deno.test("errnoCode() and errnoText() have an answer for any number; errnoNumber() throws", () => {
  assert.equal(errnoCode(4711), "errno 4711");
  assert.equal(errnoText(4711), "unknown error");
  assert.throws(() => errnoNumber("ENONSENSE"), RangeError);
});
