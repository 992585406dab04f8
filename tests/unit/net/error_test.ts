import assert from "node:assert/strict";
import { check, describeFailure, OperationError, unlessRefused } from "../../../src/net/error.ts";

Deno.test("OperationError says what was tried, on what, why, in whose words, and what to do", () => {
  const error = new OperationError({
    operation: "add rule",
    object: "divert/2",
    errno: 2,
    reason: "kernel: no such chain",
    hint: "Load nf_tproxy",
  });
  assert.equal(
    error.message,
    'Cannot add rule "divert/2": ENOENT (No such file or directory), kernel: no such chain. Load nf_tproxy',
  );
  assert.equal(error.code, "ENOENT");
  assert.equal(error.usage, false);
  assert.ok(error instanceof Error);
});

Deno.test("describeFailure() leaves out what is not known", () => {
  assert.equal(describeFailure({ operation: "read config", object: "" }), "Cannot read config");
  assert.equal(
    describeFailure({ operation: "open", object: "/x", errno: 13 }),
    'Cannot open "/x": EACCES (Permission denied)',
  );
  assert.equal(
    describeFailure({ operation: "run worker", object: "0", reason: "broken" }),
    'Cannot run worker "0": broken',
  );
});

Deno.test("OperationError has no code where there is no errno", () => {
  const error = new OperationError({ operation: "parse", object: "x", usage: true });
  assert.deepEqual([error.code, error.errno, error.reason, error.hint, error.usage], [
    "",
    0,
    "",
    "",
    true,
  ]);
});

Deno.test("check() passes a result on, and throws -errno", () => {
  assert.equal(check(0, "bind"), 0);
  assert.equal(check(7, "socket"), 7);
  assert.throws(
    () => check(-98, "bind", "127.0.0.1:80", "Stop it"),
    (error) =>
      error instanceof OperationError && error.errno === 98 &&
      error.message === 'Cannot bind "127.0.0.1:80": EADDRINUSE (Address already in use). Stop it',
  );
});

Deno.test("unlessRefused() takes a refusal for no result, and throws a defect on", () => {
  const refuse = (error: Error) => () => {
    throw error;
  };
  assert.equal(unlessRefused(() => 1), 1);
  assert.equal(unlessRefused(refuse(new OperationError({ operation: "read", object: "x" }))), undefined);
  assert.throws(() => unlessRefused(refuse(new TypeError("ours"))), TypeError);
});
