/** Values that a shell completes. */
import assert from "node:assert/strict";
import { run } from "../fake_env.ts";

const CONFIG = `rules:
  - { name: Annas tablet, from: [10.0.0.1], action: block }
  - { action: direct }
  - { name: work, action: proxy, upstream: office
upstreams: { office: { type: socks5 } }
`;
const VALID = `${
  CONFIG.replace("upstream: office\n", "upstream: office }\n")
}groups: { away: { members: [office] } }\n`;
const DEVICES = `Inter-|   Receive
 face |bytes
    lo: 1 2 3
br-lan: 1 2 3
 wan.7: 1 2 3
`;

async function complete(
  words: readonly string[],
  files: Readonly<Record<string, string>>,
): Promise<string[]> {
  const { code, stdout, stderr } = await run(["completion", "bash", ...words], {
    files: { "/proc/net/dev": DEVICES, ...files },
  });
  assert.equal(code, 0);
  assert.equal(stderr, "");
  return stdout.split("\n").filter((line) => line !== "");
}

Deno.test("completion offers interfaces where one is asked for", async () => {
  assert.deepEqual(await complete(["explain", "--in", ""], {}), ["lo", "br-lan", "wan.7"]);
  assert.deepEqual(await complete(["explain", "--in", "b"], {}), ["br-lan"]);
});

Deno.test("completion offers the names that the config has, which need not be valid", async () => {
  const files = { "/etc/tproxy/tproxy.yaml": VALID, "/x": "rules: [{ name: other }]\n", "/bad": CONFIG };
  assert.deepEqual(await complete(["connections", "--rule", ""], files), [
    "Annas tablet",
    "rule 2",
    "work",
    "default",
  ]);
  assert.deepEqual(await complete(["connections", "-c", "/x", "--rule", "o"], files), ["other"]);
  assert.deepEqual(await complete(["connections", "--upstream", ""], files), ["office", "away"]);
  assert.deepEqual(await complete(["connections", "--config", "/nowhere", "--upstream", ""], files), []);
  assert.deepEqual(await complete(["connections", "-c", "/bad", "--rule", "d"], files), ["default"]);
});
