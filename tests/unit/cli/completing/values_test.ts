/** Values that a shell completes. */
import assert from "node:assert/strict";
import { getDocPageSync, suggestSync } from "@optique/core/parser";
import { kindOf } from "../../../../src/cli/arguments/known_value.ts";
import { VALUE_OPTIONS } from "../../../../src/cli/completing/known_words.ts";
import { loadAllCommands } from "../../../../src/cli/table.ts";
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

Deno.test("completion offers the names of devices, but none that a shell would take for more", async () => {
  const files = {
    "/tmp/dhcp.leases": [
      "1 02:00:5e:10:00:01 10.0.0.7 tv-living-room *",
      "1 02:00:5e:10:00:02 10.0.0.8 $(reboot) *",
      "1 02:00:5e:10:00:03 10.0.0.9 -c *",
      "1 02:00:5e:10:00:04 10.0.0.10 * *",
    ].join("\n"),
    "/etc/hosts": "10.0.0.11 nas # x\n",
  };
  assert.deepEqual(await complete(["connections", "--device", ""], files), ["tv-living-room", "nas"]);
  assert.deepEqual(await complete(["connections", "--device", "n"], files), ["nas"]);
});

Deno.test("completion offers commands, topics, - for a stream, and help", async () => {
  assert.deepEqual(await complete(["co"], {}), ["confirm", "connections", "config", "completion"]);
  assert.deepEqual(await complete(["help", "con"], {}), ["confirm", "connections", "config"]);
  assert.deepEqual(await complete(["--"], {}), ["--help", "--version"]);
  assert.deepEqual(await complete(["install", "--he"], {}), ["--help"]);
  assert.deepEqual(await complete(["config", "-"], {}), ["-h", "--help"]);
  assert.deepEqual(await complete(["check", "-c", "-"], {}), ["__FILE__:file::-:0", "-"]);
  assert.deepEqual(await complete(["check", ""], {}), ["__FILE__:file:::0", "-"]);
  assert.deepEqual(await complete(["run", "-c", ""], {}), ["__FILE__:file:::0"]);
  assert.deepEqual((await complete(["check", "-"], {})).toSorted(), [
    "-",
    "--config",
    "--help",
    "-c",
    "-h",
    "__FILE__:file::-:0",
  ]);
});

Deno.test("values that are known without a parser are those of the parsers", async () => {
  for (const { name, parser } of await loadAllCommands()) {
    const options = getDocPageSync(parser)?.sections.flatMap(({ entries }) => entries) ?? [];
    const found = options.flatMap(({ term }) => term.type === "option" ? term.names : []).flatMap(
      (option) => {
        const [suggested] = suggestSync(parser, [option, ""]);
        const kind = suggested?.kind === "literal" ? kindOf(suggested.text) : undefined;
        return kind === undefined ? [] : [[option, kind] as const];
      },
    );
    assert.deepEqual(Object.fromEntries(found), VALUE_OPTIONS[name] ?? {}, name);
  }
});
