import assert from "node:assert/strict";
import { run } from "../fake_env.ts";

Deno.test("nc ends with netcat's exit code where the command line is wrong", async () => {
  for (const words of ["", "192.0.2.1", "-Q 192.0.2.1 80", "-w x 192.0.2.1 80", "192.0.2.1 99999"]) {
    const { code, stderr } = await run(["nc", ...words.split(" ").filter((word) => word !== "")]);
    assert.equal(code, 1, words);
    assert.match(stderr, /^tproxy nc: /, words);
  }
  assert.equal((await run(["redirect", "-Q"])).code, 2, "no other tool");
});
