/** The library's entries load with the permissions that their headers name, and with not one less. */
import assert from "node:assert/strict";
import {
  type Entry,
  exampleOf,
  libraryProgram,
  listEntries,
  programFile,
  typeCheck,
} from "../../laboratory/programs/library.ts";
import { runProgram } from "../../laboratory/program.ts";

/** Runs a program to its end: its exit code and all that it says. */
async function run(text: string, permissions: readonly string[]): Promise<{ code: number; said: string }> {
  using file = programFile(text);
  const { code, stdout, stderr } = await runProgram(libraryProgram(file.path, permissions), {
    mayFail: true,
  });
  return { code, said: stdout + stderr };
}

const load = ({ specifier }: Entry) =>
  `import * as entry from "${specifier}";\nconsole.log(Object.keys(entry).length);\n`;

for (const entry of listEntries()) {
  const { specifier, permissions } = entry;
  Deno.test(`${specifier} loads with ${permissions.join(", ") || "no permissions"}, and with nothing less`, async () => {
    const { code, said } = await run(load(entry), permissions);
    assert.equal(code, 0, said);
    assert.ok(Number(said.trim()) > 0, said);
    for (const withheld of permissions) {
      const less = await run(load(entry), permissions.filter((permission) => permission !== withheld));
      assert.notEqual(less.code, 0, `${withheld} is not needed`);
      assert.match(less.said, new RegExp(withheld), "it says what it needs");
    }
  });
}

Deno.test("a program that only reads addresses needs no permission: not those of the sockets beside it", async () => {
  const program = (specifier: string) =>
    `import { parseIp } from "${specifier}";\nconsole.log(parseIp("192.0.2.1")?.family);\n`;
  assert.deepEqual(await run(program("@tproxy/tproxy/net"), []), { code: 0, said: "ipv4\n" });
  // The entry of the sockets has the function too, and opens the C library.
  assert.match((await run(program("@tproxy/tproxy"), [])).said, /Cannot open libc\.so\.6: .*--allow-ffi/);
});

Deno.test("every example has the right types", async () => {
  const examples = [
    ...listEntries().map(({ example }) => example),
    exampleOf("src/library/sockets/listen_udp.ts", "listenTransparentUdp"),
  ];
  assert.ok(examples.every((example) => example.includes("import ")));
  const files = examples.map(programFile);
  try {
    const { code, stderr } = await runProgram(typeCheck(files.map(({ path }) => path)), {
      mayFail: true,
      timeoutMs: 120_000,
    });
    assert.equal(code, 0, stderr);
  } finally {
    for (const file of files) file[Symbol.dispose]();
  }
});

Deno.test("the examples of /net and /plan run without permissions", async () => {
  const pure = listEntries().filter(({ specifier }) => /\/(net|plan)$/.test(specifier));
  assert.equal(pure.length, 2);
  for (const { example } of pure) {
    assert.match(example, /throw new Error/, "the example checks itself");
    assert.deepEqual(await run(example, []), { code: 0, said: "" });
  }
});

Deno.test("the example of /netlink lists routing rules, with --allow-ffi and without privileges", async () => {
  const { example, permissions } = listEntries().find(({ specifier }) => specifier.endsWith("/netlink"))!;
  const { code, said } = await run(example, permissions);
  assert.equal(code, 0, said);
  assert.match(said, /^ipv4 priority 0 lookup 255$/m);
  assert.match(said, /^ipv4 priority 32766 lookup 254$/m);
});

Deno.test("a plan is printed as a script of nft and of iptables, and as JSON, without permissions", async () => {
  const { example } = listEntries().find(({ specifier }) => specifier.endsWith("/plan"))!;
  const more = [
    'console.log(script.includes("tproxy ip to 127.0.0.1:50080"));',
    'console.log(plan.script({ origin: "x", format: "iptables" }).includes("-j TPROXY"));',
    'console.log(JSON.parse(plan.json({ origin: "x" })).interfaces.lan[0]);',
  ].join("\n");
  assert.deepEqual(await run(`${example}\n${more}\n`, []), { code: 0, said: "true\ntrue\nbr-lan\n" });
});
