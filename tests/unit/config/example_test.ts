import assert from "node:assert/strict";
import { DEFAULT_CONFIG } from "../../../src/config/defaults.ts";
import { EXAMPLE_CONFIG } from "../../../src/config/example.ts";
import { configJsonSchema } from "../../../src/config/schema/json_schema.ts";
import { allKeys } from "../../../src/config/schema/known_keys.ts";
import { loadText, parseConfig } from "../../../src/config/load.ts";

/** Prose begins with `# ` and a word; YAML stands directly behind the `#`, or is indented by two. */
const UNCOMMENTED = EXAMPLE_CONFIG.replaceAll(/^#(?=\S| {2})/gm, "");

Deno.test("EXAMPLE_CONFIG loads as it is and changes nothing", () => {
  assert.deepEqual(parseConfig(EXAMPLE_CONFIG, "example"), DEFAULT_CONFIG);
});

Deno.test("EXAMPLE_CONFIG loads with everything in force, and shows the defaults", () => {
  const { config } = loadText(UNCOMMENTED, "example", () => "192.0.2.0/24\n");
  assert.equal(config.rules.length, 10);
  assert.equal(Object.keys(config.upstreams).length, 6);
  assert.deepEqual({ ...config, rules: [], upstreams: {}, groups: {} }, DEFAULT_CONFIG);
});

Deno.test("EXAMPLE_CONFIG has every key of the schema", () => {
  const keys = allKeys();
  assert.ok(
    keys.length > 50 && keys.includes("rules[].mac") && keys.includes("upstreams.*.address"),
    keys.join(),
  );
  for (const path of keys) {
    const key = path.split(".").at(-1)!;
    assert.match(UNCOMMENTED, new RegExp(`(^|[ {])${key}:`, "m"), path);
  }
});

Deno.test("EXAMPLE_CONFIG fits a terminal", () => {
  for (const line of EXAMPLE_CONFIG.split("\n")) assert.ok(line.length <= 120, line);
});

Deno.test("configJsonSchema() knows every key, and forbids others", () => {
  const text = JSON.stringify(configJsonSchema());
  for (const path of allKeys()) assert.ok(text.includes(`"${path.split(".").at(-1)}":`), path);
  // deno-lint-ignore no-explicit-any -- a tree of any shape
  const schema = configJsonSchema() as any;
  assert.equal(schema.additionalProperties, false);
  assert.deepEqual(schema.properties.intercept.type, ["object", "null"]);
  assert.equal(schema.properties.intercept.additionalProperties, false);
  assert.deepEqual(schema.properties.source, { enum: ["client", "client-address", "router"] });
  assert.equal(schema.properties.rules.items.properties["deliver-port"].maximum, 65535);
  assert.deepEqual(schema.properties.upstreams.additionalProperties.properties.type.enum, [
    "socks5",
    "http-connect",
    "forward",
    "direct",
  ]);
});
