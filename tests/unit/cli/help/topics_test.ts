/** Topics of help. */
import assert from "node:assert/strict";
import { TOPICS } from "../../../../src/cli/help/list.ts";
import { TOPIC_NAMES } from "../../../../src/cli/help/names.ts";
import { loadAllCommands } from "../../../../src/cli/table.ts";
import { parseConfig } from "../../../../src/config/load.ts";
import { run } from "../fake_env.ts";

Deno.test("help knows the topics that it lists, and completes them", async () => {
  assert.deepEqual(TOPICS.map(({ name }) => name), TOPIC_NAMES);
  const { stdout: usage } = await run(["help"]);
  const flat = usage.replaceAll(/\s+/g, " ");
  assert.ok(flat.includes(TOPIC_NAMES.join(", ")), usage);
  assert.equal((await run(["completion", "bash", "help", "sig"])).stdout.trim(), "signals");
  for (const name of TOPIC_NAMES) {
    const { code, stdout, stderr } = await run(["help", name]);
    assert.equal(code, 0, name);
    assert.equal(stderr, "", name);
    assert.ok(stdout.length > 400, name);
  }
  assert.equal((await run(["help", "signal"])).code, 2);
});

Deno.test("help json and help exit-codes tell what the commands tell", async () => {
  const [json, codes] = [(await run(["help", "json"])).stdout, (await run(["help", "exit-codes"])).stdout];
  for (const { name, details = [] } of await loadAllCommands()) {
    const document = details.find((paragraph) => paragraph.startsWith("JSON: "));
    assert.equal(new RegExp(`^${name}: `, "m").test(json), document !== undefined, name);
  }
  assert.match(codes, /^explain: The exit code is 0 if the flow gets through/m);
  assert.doesNotMatch(codes, /JSON:/);
});

Deno.test("help config prints a config, and the command of that name too", async () => {
  const { stdout } = await run(["help", "config"]);
  const lines = stdout.split("\n").filter((line) => line.startsWith("  ")).map((line) => line.slice(2));
  const from = lines.indexOf("version: 1");
  const to = lines.findIndex((line) => line.includes("access: off"));
  assert.equal(parseConfig(lines.slice(from, to + 1).join("\n"), "f").version, 1);
  assert.match(stdout, /Usage: tproxy config/);
});
