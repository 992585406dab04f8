import assert from "node:assert/strict";
import { AccessFile } from "../../../../src/daemon/access/access_file.ts";
import { createLogger } from "../../../../src/log.ts";

Deno.test("AccessFile says at once, and once, that a disk is full", async () => {
  let said = "";
  const log = createLogger({
    level: "info",
    format: "text",
    write: (line) => void (said += line),
    now: () => new Date(0),
  });
  const file = new AccessFile("/dev/full", log);
  file.write("a line\n");
  file.write("another\n");
  assert.equal(
    said,
    "1970-01-01T00:00:00.000Z error the access log cannot be written file=/dev/full reason=ENOSPC\n",
  );
  await file.end();
});
