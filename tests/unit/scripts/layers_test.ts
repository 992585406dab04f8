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

Deno.test("layers.ts accepts a tree that keeps the rules", async () => {
  const { code, lines } = await check({
    "ffi/libc.ts": `export const libc = Deno.dlopen("libc.so.6", {});`,
    "src/config/types.ts": "export type Config = number;",
    "src/config/load.ts": `import { parse } from "yaml"; export const x = parse;`,
    "src/dataplane/relay.ts":
      `import "../../ffi/libc.ts"; import type { Config } from "../config/types.ts"; export type C = Config;`,
    "src/cli/main.ts":
      `import "../dataplane/relay.ts"; import "../config/load.ts"; export const later = () => import("./table.ts");`,
    "src/cli/table.ts": `import "./main.ts";`,
    "tests/unit/a_test.ts": `import "../../src/cli/main.ts";`,
  });
  assert.deepEqual({ code, lines }, { code: 0, lines: ["7 modules keep to the layers"] });
});

const BREACHES: { name: string; files: Record<string, string>; line: string }[] = [
  {
    name: "an error's number elsewhere",
    files: { "src/net/ip.ts": "export const f = (errno: number) => [22, 93].includes(errno);" },
    line: "src/net/ip.ts: uses the number of an error, which only src/net/errno.ts may",
  },
  {
    name: "a constant of an error elsewhere",
    files: { "src/net/ip.ts": "export const EINTR = 4;" },
    line: "src/net/ip.ts: uses the number of an error, which only src/net/errno.ts may",
  },
  {
    name: "arithmetic of the mark elsewhere",
    files: { "src/net/ip.ts": "export const router = (mark: number) => mark << 1;" },
    line: "src/net/ip.ts: uses arithmetic of the packet mark, which only src/marks.ts may",
  },
  {
    name: "an import upwards",
    files: { "src/net/ip.ts": `import "../cli/main.ts";`, "src/cli/main.ts": "export {};" },
    line: "src/net/ip.ts: imports src/cli/main.ts, which src/net/ may not",
  },
  {
    name: "dataplane with more than config's types",
    files: { "src/dataplane/a.ts": `import "../config/load.ts";`, "src/config/load.ts": "export {};" },
    line: "src/dataplane/a.ts: imports src/config/load.ts, which src/dataplane/ may not",
  },
  {
    name: "a type of config imported as a value",
    files: { "src/dataplane/a.ts": `import "../config/types.ts";`, "src/config/types.ts": "export {};" },
    line: "src/dataplane/a.ts: imports src/config/types.ts, which src/dataplane/ may not",
  },
  {
    name: "a package outside its folder",
    files: { "src/cli/a.ts": `import { parse } from "yaml"; export const x = parse;` },
    line: "src/cli/a.ts: imports package yaml, which only src/config/ may",
  },
  {
    name: "dlopen outside ffi/libc.ts",
    files: { "ffi/other.ts": `export const libc = Deno.dlopen("libc.so.6", {});` },
    line: "ffi/other.ts: uses Deno.dlopen, which only ffi/libc.ts may",
  },
  {
    name: "unsafe pointers outside ffi",
    files: { "src/cli/a.ts": "export const x = Deno.UnsafePointer.create(0n);" },
    line: "src/cli/a.ts: uses Deno.Unsafe*, which only ffi/ may",
  },
  {
    name: "a codec that reaches FFI",
    files: {
      "src/netlink/message.ts": `import "./transport.ts";`,
      "src/netlink/transport.ts": `import "../../ffi/socket.ts";`,
      "ffi/socket.ts": "export {};",
    },
    line:
      "src/netlink/message.ts: reaches FFI: src/netlink/message.ts → src/netlink/transport.ts → ffi/socket.ts",
  },
  {
    name: "a cycle",
    files: { "src/net/a.ts": `import "./b.ts";`, "src/net/b.ts": `import "./a.ts";` },
    line: "cycle: src/net/a.ts → src/net/b.ts → src/net/a.ts",
  },
  {
    name: "the program importing a script",
    files: { "src/cli/a.ts": `import "../../scripts/build.ts";`, "scripts/build.ts": "export {};" },
    line: "src/cli/a.ts: imports scripts/build.ts, which src/cli/ may not",
  },
  {
    name: "the program importing mod.ts",
    files: { "src/cli/a.ts": `import "../../mod.ts";`, "mod.ts": "export {};" },
    line: "src/cli/a.ts: imports mod.ts, which src/cli/ may not",
  },
  {
    name: "a part without a layer",
    files: { "src/magic/a.ts": "export {};" },
    line: "src/magic/a.ts: belongs to no layer; name it in scripts/lib/layers/rules.ts",
  },
  {
    name: "a stray file at the top",
    files: { "notes.txt": "", "src/net/a.ts": "export {};" },
    line: "notes.txt: does not belong at the top of the project",
  },
];

for (const { name, files, line } of BREACHES) {
  Deno.test(`layers.ts finds ${name}`, async () => {
    assert.deepEqual(await check(files), { code: 1, lines: [line] });
  });
}
