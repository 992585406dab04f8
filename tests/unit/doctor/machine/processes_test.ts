import assert from "node:assert/strict";
import { isTproxy } from "../../../../src/doctor/machine/processes.ts";
import { processOf } from "../support/machine.ts";

Deno.test("isTproxy() knows the single file, its bundle and the source by their command lines", () => {
  const loader = ["tproxy", "--library-path", "/x", "/x/deno", "run", "/x/tproxy.js", "run"];
  const source = ["/x/deno", "run", "-A", "/home/me/tproxy/src/cli/entry.ts", "run"];
  for (const words of [loader, source, ["/usr/local/bin/tproxy", "run"]]) {
    assert.ok(isTproxy(processOf("x", words)), words.join(" "));
  }
  for (const words of [["socat", "-"], ["python3", "tproxy.py"], ["xtproxy"]]) {
    assert.ok(!isTproxy(processOf("x", words)), words.join(" "));
  }
});
