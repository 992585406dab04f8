import assert from "node:assert/strict";

/** Runs the layer check over a tree of files and gives its verdict. */
async function check(files: Record<string, string>): Promise<{ code: number; lines: string[] }> {
  const root = await Deno.makeTempDir({ prefix: "tproxy-layers-" });
  try {
    const imports = { yaml: "npm:yaml@2.9.1" };
    files = { "deno.json": JSON.stringify({ imports, nodeModulesDir: "none", lock: false }), ...files };
    for (const [path, text] of Object.entries(files)) {
      Deno.mkdirSync(`${root}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      Deno.writeTextFileSync(`${root}/${path}`, text);
    }
    const script = new URL("../../../scripts/lib/layers/main.ts", import.meta.url).pathname;
    const { code, stdout } = await new Deno.Command(Deno.execPath(), { args: ["run", "-A", script, root] })
      .output();
    return { code, lines: new TextDecoder().decode(stdout).trim().split("\n") };
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** A src/README.md whose drawing has these lines; below "═" is the ground. */
function draw(...lines: string[]): string {
  return ["# The house", "", "```", ...lines, "```", ""].join("\n");
}

const NET = draw("net");
const OVER_NET = draw("cli ──► netlink", "─", "netlink", "═", "net");

Deno.test("scripts/layers accepts a tree that keeps the rules", async () => {
  const { code, lines } = await check({
    "src/README.md": draw(
      "cli        ──► dataplane  config",
      "──────────",
      "dataplane  ──► config (types)  ffi",
      "──────────",
      "config",
      "ffi",
      "══════════",
      "net",
    ),
    "ffi/libc.ts": `export const libc = Deno.dlopen("libc.so.6", {});`,
    "ffi/consts.ts": `export const AF_INET = 2;`,
    "src/net/ip.ts":
      `/** Addresses. Pure. */\nexport const time = (seconds: number) => new Date(seconds * 1e3);`,
    "src/config/types.ts": "/** Types. Pure.\n * @module\n */\nexport type Config = number;",
    "src/config/load.ts": `import { parse } from "yaml"; import "../net/ip.ts"; export const x = parse;`,
    "src/dataplane/tcp/relay.ts":
      `import "../../../ffi/libc.ts"; import type { Config } from "../../config/types.ts"; export type C = Config;`,
    "src/dataplane/layout.ts":
      `/** Sizes, as "Deno.stat" has them. Pure. */\nimport type {} from "./tcp/relay.ts"; import "../../ffi/consts.ts"; // Deno.stat\n`,
    "src/cli/main.ts": `import "../dataplane/tcp/relay.ts"; export const later = () => import("./table.ts");`,
    "src/cli/table.ts": `import "../config/load.ts"; import "../net/ip.ts";`,
    "tests/unit/a_test.ts": `import "../../src/cli/main.ts";`,
  });
  assert.deepEqual({ code, lines }, { code: 0, lines: ["10 modules keep to the layers"] });
});

const BREACHES: { name: string; files: Record<string, string>; line: string }[] = [
  {
    name: "an error's number elsewhere",
    files: {
      "src/README.md": NET,
      "src/net/ip.ts": "export const f = (errno: number) => [22, 93].includes(errno);",
    },
    line: "src/net/ip.ts: uses the number of an error, which only src/net/errno.ts may",
  },
  {
    name: "a constant of an error elsewhere",
    files: { "src/README.md": NET, "src/net/ip.ts": "export const EINTR = 4;" },
    line: "src/net/ip.ts: uses the number of an error, which only src/net/errno.ts may",
  },
  {
    name: "arithmetic of the mark elsewhere",
    files: { "src/README.md": NET, "src/net/ip.ts": "export const router = (mark: number) => mark << 1;" },
    line: "src/net/ip.ts: uses arithmetic of the packet mark, which only src/marks.ts may",
  },
  {
    name: "arithmetic of one of the marks elsewhere",
    files: {
      "src/README.md": NET,
      "src/net/ip.ts": "export const next = (marks: { intercepted: number }) => marks.intercepted * 2;",
    },
    line: "src/net/ip.ts: uses arithmetic of the packet mark, which only src/marks.ts may",
  },
  {
    name: "a pure file that asks the global scope",
    files: {
      "src/README.md": NET,
      "src/net/ip.ts": "/** Addresses. Pure. */\nexport const f = () => globalThis.process;",
    },
    line: "src/net/ip.ts: is pure, but reaches globalThis.process",
  },
  {
    name: "an import upwards",
    files: {
      "src/README.md": OVER_NET,
      "src/net/ip.ts": `import "../cli/main.ts";`,
      "src/netlink/a.ts": "export {};",
      "src/cli/main.ts": `import type {} from "../netlink/a.ts";`,
    },
    line: "src/net/ip.ts: imports src/cli/main.ts, which net may not",
  },
  {
    name: "an import without an arrow",
    files: {
      "src/README.md": draw("cli", "─", "netlink", "═", "net"),
      "src/net/a.ts": "export {};",
      "src/netlink/a.ts": "export {};",
      "src/cli/main.ts": `import type {} from "../netlink/a.ts";`,
    },
    line: "src/cli/main.ts: imports src/netlink/a.ts, which cli may not",
  },
  {
    name: "a type imported as a value",
    files: {
      "src/README.md": draw("dataplane ──► config (types)", "─", "config", "═", "net"),
      "src/net/a.ts": "export {};",
      "src/dataplane/a.ts": `import "../config/types.ts";`,
      "src/config/types.ts": "export type A = 1;",
    },
    line: "src/dataplane/a.ts: imports src/config/types.ts, which dataplane may not",
  },
  {
    name: "an import of a room inside a room that the arrow does not name",
    files: {
      "src/README.md": draw("cli ──► netlink", "─", "netlink/nft ──► netlink", "─", "netlink", "═", "net"),
      "src/net/a.ts": "export {};",
      "src/netlink/a.ts": "export {};",
      "src/netlink/nft/a.ts": `import "../a.ts";`,
      "src/cli/a.ts": `import "../netlink/a.ts"; import "../netlink/nft/a.ts";`,
    },
    line: "src/cli/a.ts: imports src/netlink/nft/a.ts, which cli may not",
  },
  {
    name: "an import of a room beside its own",
    files: {
      "src/README.md": draw("kernel ──► kernel/*", "kernel/a  kernel/b ──► kernel/*", "kernel/c"),
      "src/kernel/all.ts": `import "./a/a.ts"; import "./c/c.ts";`,
      "src/kernel/a/a.ts": `import "../b/b.ts"; import "../c/c.ts";`,
      "src/kernel/b/b.ts": "export {};",
      "src/kernel/c/c.ts": "export {};",
    },
    line: "src/kernel/a/a.ts: imports src/kernel/b/b.ts, which kernel/a may not",
  },
  {
    name: "an import that the drawing forbids, within a room",
    files: {
      "src/README.md": draw("net", "net/a ──╳ net/b"),
      "src/net/a/a.ts": `import type {} from "../b/b.ts";`,
      "src/net/b/b.ts": "export {};",
    },
    line: "src/net/a/a.ts: imports src/net/b/b.ts, which net/a must not",
  },
  {
    name: "a forbidden place that is not there",
    files: { "src/README.md": draw("net", "net ──╳ net/b"), "src/net/a.ts": "export {};" },
    line: "src/README.md: draws net/b, which has no file",
  },
  {
    name: "an arrow that leads up",
    files: {
      "src/README.md": draw("cli", "─", "netlink ──► cli", "═", "net"),
      "src/net/a.ts": "export {};",
      "src/netlink/a.ts": `import "../cli/a.ts";`,
      "src/cli/a.ts": "export {};",
    },
    line: "src/README.md: draws netlink ──► cli, which does not lead down",
  },
  {
    name: "an arrow that leads nowhere",
    files: { "src/README.md": draw("net ──► attic"), "src/net/a.ts": "export {};" },
    line: "src/README.md: draws net ──► attic, which is no room",
  },
  {
    name: "an arrow that nothing follows",
    files: {
      "src/README.md": OVER_NET,
      "src/net/a.ts": "export {};",
      "src/netlink/a.ts": "export {};",
      "src/cli/a.ts": "export {};",
    },
    line: "src/README.md: draws cli ──► netlink, which no import follows",
  },
  {
    name: "a room that is not there",
    files: { "src/README.md": draw("cli", "═", "net"), "src/net/a.ts": "export {};" },
    line: "src/README.md: draws cli, which has no file",
  },
  {
    name: "a README without a drawing",
    files: { "src/README.md": "# The house\n", "src/net/a.ts": "export {};" },
    line: "src/README.md: has no drawing of the rooms",
  },
  {
    name: "an example that does not exist",
    files: {
      "src/README.md": `${NET}See \`net/a.ts\`, \`net/\` and \`net/b.ts\`.`,
      "src/net/a.ts": "export {};",
    },
    line: "src/README.md: names net/b.ts, which does not exist",
  },
  {
    name: "a file in no room",
    files: { "src/README.md": NET, "src/net/a.ts": "export {};", "src/magic/a.ts": "export {};" },
    line: "src/magic/a.ts: is in no room; draw it in src/README.md",
  },
  {
    name: "the program importing a script",
    files: {
      "src/README.md": NET,
      "src/net/a.ts": `import "../../scripts/build.ts";`,
      "scripts/build.ts": "export {};",
    },
    line: "src/net/a.ts: imports scripts/build.ts, which net may not",
  },
  {
    name: "the program importing mod.ts",
    files: {
      "src/README.md": draw("mod.ts", "═", "net"),
      "src/net/a.ts": `import "../../mod.ts";`,
      "mod.ts": "export {};",
    },
    line: "src/net/a.ts: imports mod.ts, which net may not",
  },
  {
    name: "a package outside its folder",
    files: { "src/README.md": NET, "src/net/a.ts": `import { parse } from "yaml"; export const x = parse;` },
    line: "src/net/a.ts: imports package yaml, which only src/config/ may",
  },
  {
    name: "a package that has no home",
    files: { "src/README.md": draw("log.ts"), "src/log.ts": `import type {} from "node:net";` },
    line: "src/log.ts: imports package node:net, which nothing may",
  },
  {
    name: "dlopen outside ffi/libc.ts",
    files: { "src/README.md": draw("ffi"), "ffi/other.ts": `export const c = Deno.dlopen("libc.so.6", {});` },
    line: "ffi/other.ts: uses Deno.dlopen, which only ffi/libc.ts may",
  },
  {
    name: "unsafe pointers outside ffi",
    files: {
      "src/README.md": draw("log.ts"),
      "src/log.ts": "export const x = Deno.UnsafePointer.create(0n);",
    },
    line: "src/log.ts: uses Deno.Unsafe*, which only ffi/ may",
  },
  {
    name: "a codec that reaches the transport",
    files: {
      "src/README.md": draw("netlink/transport.ts ──► ffi", "─", "netlink", "ffi", "═", "net"),
      "src/net/a.ts": "export {};",
      "src/netlink/message.ts": `import "./transport.ts";`,
      "src/netlink/transport.ts": `import "../../ffi/socket.ts";`,
      "ffi/socket.ts": "export {};",
    },
    line: "src/netlink/message.ts: imports src/netlink/transport.ts, which netlink may not",
  },
  ...["Deno.stat", "performance.now", "Date.now", "new Date()", "Math.random"].map((word) => ({
    name: `a header that says "Pure." over ${word}`,
    files: {
      "src/README.md": draw("log.ts"),
      "src/log.ts": `/**\n * Log. Pure.\n * @module\n */\nexport const x = () => ${word};`,
    },
    line: `src/log.ts: is pure, but reaches ${word}`,
  })),
  {
    name: `a header that says "Pure." over what other files do`,
    files: {
      "src/README.md": draw("cli ──► ffi", "─", "ffi"),
      "src/cli/a.ts": `/** Plans. Pure. */\nimport "./b.ts";`,
      "src/cli/b.ts": `import "../../ffi/pipe.ts";`,
      "ffi/pipe.ts": `import "./libc.ts";`,
      "ffi/libc.ts": `export const libc = Deno.dlopen("libc.so.6", {});`,
    },
    line: "src/cli/a.ts: is pure, but reaches Deno.dlopen " +
      "(src/cli/a.ts → src/cli/b.ts → ffi/pipe.ts → ffi/libc.ts)",
  },
  {
    name: "a pure room with a system call",
    files: { "src/README.md": NET, "src/net/a.ts": `export const a = () => Deno.readTextFileSync("/a");` },
    line: "src/net/a.ts: is pure, but reaches Deno.readTextFileSync",
  },
  ...Object.entries({
    "code": { a: `import "./b.ts";`, b: `import "./a.ts";` },
    "types": { a: `import type {} from "./b.ts";`, b: `import type {} from "./a.ts";` },
    "an import at need": { a: `export const f = () => import("./b.ts");`, b: `import "./a.ts";` },
  }).map(([kind, { a, b }]) => ({
    name: `a circle of ${kind}`,
    files: { "src/README.md": NET, "src/net/a.ts": a, "src/net/b.ts": b },
    line: "src/net/a.ts: is in a circle of imports: src/net/a.ts → src/net/b.ts → src/net/a.ts",
  })),
  {
    name: "a folder with fourteen files",
    files: {
      "src/README.md": NET,
      "src/net/a.ts": "export {};",
      ...Object.fromEntries(
        [..."bcdefghijklmno"].map((name) => [`tests/unit/${name}_test.ts`, "export {};"]),
      ),
      ...Object.fromEntries([..."bcdefghijklmno"].map((name) => [`tests/testdata/${name}.sh`, ""])),
    },
    line: "tests/unit: holds 14 files of code, more than 13",
  },
  ...["What", "Whether", "Who", "Where", "How", "It", "If"].map((word) => ({
    name: `a doc comment that begins with ${word}`,
    files: { "src/README.md": NET, "src/net/a.ts": `\n/**\n * ${word} is read.\n */\nexport const a = 1;` },
    line:
      `src/net/a.ts:2: a doc comment begins with "${word}"; begin with a verb (functions) or a noun (types)`,
  })),
  {
    name: "a sentence that has a clause for its subject",
    files: {
      "src/README.md": NET,
      "src/net/a.ts": `/** Reads a text. Whether it is long\n * does not matter. */\nexport const a = 1;`,
    },
    line: 'src/net/a.ts:1: a sentence begins with "Whether"; name who acts',
  },
  ...Object.entries({
    "src/net/a.ts": `/** ${"long ".repeat(21)}*/`,
    "ffi/launcher/a.c": `int a; /* ${"long ".repeat(21)}*/`,
    "scripts/a": `#!/bin/sh\n# ${"long ".repeat(22)}`,
  }).map(([path, text]) => ({
    name: `a wide comment in ${path}`,
    files: { "src/README.md": NET, "src/net/b.ts": "export {};", [path]: text },
    line: `${path}:${text.split("\n").length}: a comment is wider than 110 columns`,
  })),
  {
    name: "a stray file at the top",
    files: { "src/README.md": NET, "notes.txt": "", "src/net/a.ts": "export {};" },
    line: "notes.txt: does not belong at the top of the project",
  },
];

for (const { name, files, line } of BREACHES) {
  Deno.test(`scripts/layers finds ${name}`, async () => {
    assert.deepEqual(await check(files), { code: 1, lines: [line] });
  });
}
