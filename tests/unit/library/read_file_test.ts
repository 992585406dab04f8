import assert from "node:assert/strict";
import { readTextFile } from "../../../src/library/read_file.ts";
import { OperationError } from "../../../src/net/error.ts";
import { descriptorTest } from "../ffi/support/descriptors.ts";

descriptorTest(
  "readTextFile() reads files of /proc and long ones, and tells those that are not there",
  () => {
    assert.equal(readTextFile("/proc/sys/kernel/ostype"), "Linux\n");
    const path = Deno.makeTempFileSync();
    try {
      const text = "äöü€".repeat(30_000);
      Deno.writeTextFileSync(path, text);
      assert.equal(readTextFile(path), text);
    } finally {
      Deno.removeSync(path);
    }
    assert.throws(() => readTextFile(path), Deno.errors.NotFound);
    assert.throws(
      () => readTextFile("/proc"),
      (error) => error instanceof OperationError && error.code === "EISDIR",
    );
  },
);
