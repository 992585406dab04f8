import assert from "node:assert/strict";
import { isTproxy, listProcesses } from "../../../../src/doctor/machine/processes.ts";
import { memoryFiles, processOf } from "../support/machine.ts";

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

Deno.test("listProcesses() lets no process command the terminal of who looks at it", () => {
  const files = memoryFiles({ "/proc/7/comm": "evil\u001b[2J\n", "/proc/7/cmdline": "a\u009bb\0c\nd\0" });
  const [{ name, words }] = listProcesses(files);
  assert.deepEqual([name, words], ["evil\\u001b[2J", ["a\\u009bb", "c\\u000ad"]]);
});
