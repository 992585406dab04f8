import assert from "node:assert/strict";
import { DEFAULT_CONFIG } from "../../../src/config/defaults.ts";
import { parseConfig } from "../../../src/config/load.ts";
import { problemsOf } from "./problems.ts";

Deno.test("parseConfig() takes an empty file, and one of comments, for the defaults", () => {
  for (const text of ["", "\n\n", "# nothing\n", "---\n", "\ufeff", "{}"]) {
    assert.deepEqual(parseConfig(text, "f"), DEFAULT_CONFIG, JSON.stringify(text));
  }
});

Deno.test("parseConfig() takes sections with nothing in them", () => {
  const text = ["intercept", "listener", "kernel", "rules", "upstreams", "timeouts", "limits", "log"].join(
    ":\n",
  );
  assert.deepEqual(parseConfig(`${text}:\n`, "f"), DEFAULT_CONFIG);
});

Deno.test("parseConfig() takes the line ends of Windows, and counts lines and columns in them", () => {
  assert.equal(parseConfig("listener:\r\n  port: 81\r\nsource: router\r\n", "f").source, "router");
  assert.match(problemsOf("listener:\r\n  port: 0\r\n")[0], /^2:9: /);
});

Deno.test("parseConfig() does not count a byte order mark as a column", () => {
  assert.equal(parseConfig("\ufeffsource: router\n", "f").source, "router");
  assert.match(problemsOf("\ufeffsource: x\n")[0], /^1:9: /);
  assert.match(problemsOf("\ufeffversion: 1\nsource: x\n")[0], /^2:9: /);
});

Deno.test("parseConfig() refuses what is not text", () => {
  const binary = new TextDecoder().decode(Uint8Array.from({ length: 4096 }, (_, i) => (i * 7) & 255));
  assert.match(problemsOf(binary)[0], /^1:1: this is not a text in UTF-8/);
  assert.match(problemsOf("version: 1\nsource: cl\0ient\n")[0], /^2:11: this is not a text/);
});

Deno.test("parseConfig() refuses 10 MB at once", () => {
  const started = performance.now();
  assert.match(problemsOf("# x\n".repeat(2_500_000))[0], /MiB is too large/);
  assert.ok(performance.now() - started < 1000);
});

Deno.test("parseConfig() refuses deep nesting without overflow", () => {
  for (const depth of [100, 5000, 200_000]) {
    const flow = `rules: ${"[".repeat(depth)}${"]".repeat(depth)}`;
    assert.match(problemsOf(flow)[0], /nested too deeply/, `${depth} lists`);
  }
  for (const depth of [1000, 5000, 100_000]) {
    assert.equal(problemsOf(`rules: ${"[".repeat(depth)}`).length, 1, `${depth}: one error is said once`);
  }
  const block = Array.from({ length: 1000 }, (_, i) => `${" ".repeat(i)}a:`).join("\n");
  assert.match(problemsOf(block)[0], /nested too deeply/);
});

Deno.test("parseConfig() refuses aliases that multiply", () => {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 12; i++) {
    lines.push(`a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(", ")}]`);
  }
  const started = performance.now();
  assert.match(problemsOf(lines.join("\n"))[0], /aliases/);
  assert.ok(performance.now() - started < 2000);
});

Deno.test("parseConfig() follows an ordinary alias, and finds errors through it", () => {
  const text = "rules:\n  - { action: block, to: &lan [10.0.0.0/8] }\n  - { action: bypass, from: *lan }\n";
  assert.equal(parseConfig(text, "f").rules[1].from?.length, 1);
  assert.equal(problemsOf(text.replace("/8", "/99")).length, 2);
  assert.match(problemsOf("source: *nothing")[0], /^1:9: /);
});

Deno.test("parseConfig() refuses a value that contains itself", () => {
  assert.deepEqual(problemsOf("rules: &a [*a]"), ["1:12: the value &a contains itself"]);
  assert.deepEqual(problemsOf("rules: &a [{ action: block, from: [*a] }]"), [
    "1:36: the value &a contains itself",
  ]);
  assert.match(problemsOf("upstreams: &a { b: { x: &c [1], y: *c, z: *a } }")[0], /&a contains itself/);
});

Deno.test("parseConfig() refuses aliases that nest deeply", () => {
  const nest = (inner: string) => `${"[".repeat(60)}${inner}${"]".repeat(60)}`;
  const lines = Array.from({ length: 90 }, (_, i) => `a${i}: &a${i} ${nest(i === 0 ? "x" : `*a${i - 1}`)}`);
  assert.notDeepEqual(problemsOf(lines.join("\n")), []);
});

Deno.test("parseConfig() always answers with a config or a ConfigError", () => {
  const letters = [
    "a",
    ":",
    " ",
    "\n",
    "-",
    "[",
    "]",
    "{",
    "}",
    "&a",
    "*a",
    "!",
    "\t",
    "'",
    '"',
    "|",
    ">",
    "#",
    "rules",
    "?",
    ",",
  ];
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 0x7fffffff) / 0x7fffffff;
  for (let round = 0; round < 5000; round++) {
    const length = Math.floor(random() * 30);
    const text = Array.from({ length }, () => letters[Math.floor(random() * letters.length)]).join("");
    problemsOf(text);
  }
});
