import assert from "node:assert/strict";
import { ConfigError } from "../../../../src/config/error.ts";
import { describeConfig } from "../../../../src/config/describe.ts";
import { loadText } from "../../../../src/config/load.ts";
import { parseNetworkList } from "../../../../src/config/values/networks.ts";
import { formatPrefix } from "../../../../src/net/ip.ts";

/** The lines of what is thrown. */
function problems(work: () => unknown): string[] {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.ok(error.usage);
    return error.message.split("\n");
  }
  return [];
}

/** A config whose lists are in `files`. */
function load(text: string, files: Readonly<Record<string, string>>) {
  return loadText(text, "f.yaml", (path) => {
    if (files[path] === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
    return files[path];
  });
}

Deno.test("parseNetworkList() reads one network on a line, with comments, blank lines and the line ends of Windows", () => {
  const text = "\ufeff# a list\n10.0.0.0/8\r\n\n  192.168.1.1 ; a host\n2001:db8::/32# at once\n;\n0.0.0.0/0";
  assert.deepEqual(parseNetworkList(text, "l").map(formatPrefix), [
    "10.0.0.0/8",
    "192.168.1.1/32",
    "2001:db8::/32",
    "0.0.0.0/0",
  ]);
  assert.deepEqual(parseNetworkList("# nothing\n", "l"), []);
});

Deno.test("parseNetworkList() names file, line and column of what is no network", () => {
  const text = "10.0.0.0/8\n  10.0.0.1/8\n\nexample.com # a name\n10.0.0.0/33\n";
  assert.deepEqual(problems(() => parseNetworkList(text, "/l")), [
    "/l:2:3: bad value 10.0.0.1/8, expected a network without host bits, did you mean 10.0.0.0/8?",
    "/l:4:1: bad value example.com, expected an address or network such as 192.168.1.1, 10.0.0.0/8 or fc00::/7",
    "/l:5:1: bad value 10.0.0.0/33, expected an address or network such as 192.168.1.1, 10.0.0.0/8 or fc00::/7",
  ]);
});

Deno.test("parseNetworkList() is brief about a file that is something else", () => {
  const lines = problems(() => parseNetworkList(`${"\x01x".repeat(300)}\n`.repeat(1000), "/l"));
  assert.equal(lines.length, 21);
  assert.match(lines[0], /^\/l:1:1: bad value \?x.{37}…, expected/);
  assert.match(lines[20], /^\/l:21:1: this and perhaps further lines/);
});

Deno.test("parseNetworkList() reads 100,000 networks in a second", () => {
  const text = Array.from(
    { length: 100_000 },
    (_, i) => `10.${i >> 12}.${(i >> 4) & 255}.${(i & 15) << 4}/28\n`,
  )
    .join("");
  const started = performance.now();
  assert.equal(parseNetworkList(text, "l").length, 100_000);
  assert.ok(performance.now() - started < 2000, `${performance.now() - started} ms`);
});

Deno.test("loadText() adds the networks of a file to those of the rule", () => {
  const { config } = load(
    "rules: [{ action: block, from-file: /a, to: [10.0.0.0/8], to-file: /a }, { action: bypass, to-file: /none }]",
    { "/a": "192.0.2.0/24\n", "/none": "# nobody\n" },
  );
  const [first, second] = config.rules;
  assert.deepEqual(first.from?.map(formatPrefix), ["192.0.2.0/24"]);
  assert.deepEqual(first.to?.map(formatPrefix), ["10.0.0.0/8", "192.0.2.0/24"]);
  assert.equal(first.toFile, "/a");
  // An empty list is no list that is missing: it matches nothing.
  assert.deepEqual(second.to, []);
});

Deno.test("loadText() says which rule names a list that cannot be read, and what a list holds that is none", () => {
  assert.deepEqual(problems(() => load("rules:\n  - { action: block, to-file: /x }", {})), [
    "f.yaml:2:31: rules[0].to-file: cannot read /x: ENOENT (No such file or directory)",
  ]);
  assert.match(
    problems(() => load("rules: [{ action: block, to-file: /x }]", { "/x": "\ny" }))[0],
    /^\/x:2:1: /,
  );
});

Deno.test("describeConfig() does not list a whole file", () => {
  const list = Array.from({ length: 5000 }, (_, i) => `10.0.${i >> 8}.${i & 255}\n`).join("");
  const { config } = load("rules: [{ action: block, silent: true, from-file: /x }]", { "/x": list });
  const [, text] = describeConfig(config).find(([key]) => key === "rules[0]")!;
  assert.match(text, /from 5000 networks, 10\.0\.0\.0\/32, .*, … \(with \/x\) → block silently$/);
  assert.ok(text.length < 250, text);
});
