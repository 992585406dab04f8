/** `-` in the place of a file. */
import assert from "node:assert/strict";
import { run } from "./fake_env.ts";

const WITH_RULE = "version: 1\nrules:\n  - { name: no ads, ports: [80], action: block }\n";
const WRONG = "version: 1\nlistener:\n  port: 70000\n";

function stdin(text: string) {
  return { readStdin: () => text };
}

Deno.test("check reads standard input, and names it as a file", async () => {
  for (const args of [["check", "-"], ["check", "-c", "-"], ["check", "--config=-"]]) {
    const { code, stdout } = await run(args, stdin(WITH_RULE));
    assert.equal(code, 0);
    assert.match(stdout, /^<stdin>: valid\. In effect:\n/);
    assert.match(stdout, /no ads/);
    const wrong = await run(args, stdin(WRONG));
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /^<stdin>:3:9: listener\.port: /);
  }
});

Deno.test("explain and install --dry-run take their config from standard input", async () => {
  const words = ["explain", "-c", "-", "--rules-only", "--from", "10.0.0.1", "--to", "192.0.2.1:80"];
  const { code, stdout, stderr } = await run(words, stdin(WITH_RULE));
  assert.equal(code, 3, stderr);
  assert.match(stdout, /^decides: .*no ads/);
  const wrong = await run(["install", "--dry-run", "-c", "-"], stdin(WRONG));
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /^<stdin>:3:9: /);
});

Deno.test("what reads its config again refuses standard input before it does anything", async () => {
  for (
    const [args, said] of [
      [["run", "-c", "-"], /^tproxy run: .*standard input cannot be read again: name a file/],
      [["run", "--config=-"], /standard input cannot be read again/],
      [["reload", "-c", "-"], /^tproxy reload: .*standard input cannot be read again/],
      [["install", "-c", "-", "--boot", "auto"], /"standard input": the start at boot has to read it again/],
      [["install", "-c", "-", "--confirm"], /"standard input": "tproxy confirm" has to read it again/],
    ] as const
  ) {
    let reads = 0;
    const { code, stdout, stderr } = await run(args, { readStdin: () => `${++reads}` });
    assert.deepEqual([code, stdout, reads], [2, "", 0], args.join(" "));
    assert.match(stderr, said);
  }
});

Deno.test("a file of that name is reached by its directory", async () => {
  const { code, stdout } = await run(["check", "./-"], { files: { "./-": WITH_RULE } });
  assert.equal(code, 0);
  assert.match(stdout, /^\.\/-: valid/);
});
