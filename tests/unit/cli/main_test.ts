import assert from "node:assert/strict";
import { COMMANDS, loadAllCommands } from "../../../src/cli/table.ts";
import { HANDOVER_PROTOCOL } from "../../../src/constants.ts";
import { VERSION } from "../../../src/cli/version.ts";
import { run } from "./fake_env.ts";

Deno.test("VERSION is that of deno.json", () => {
  const project = JSON.parse(Deno.readTextFileSync(new URL("../../../deno.json", import.meta.url)));
  assert.equal(VERSION, project.version);
});

Deno.test("COMMANDS have the names of the table", async () => {
  assert.deepEqual((await loadAllCommands()).map(({ name }) => name), Object.keys(COMMANDS));
});

Deno.test("main() without a command prints the commands and fails as wrong usage", async () => {
  const { code, stdout, stderr } = await run([]);
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.equal(stderr, (await run(["help"])).stdout);
});

Deno.test("main() lists every command with its summary, in all ways of asking", async () => {
  const { code, stdout, stderr } = await run(["help"]);
  assert.equal(code, 0);
  assert.equal(stderr, "");
  for (const { name, summary } of await loadAllCommands()) {
    const flat = stdout.replaceAll(/\s+/g, " ");
    assert.ok(flat.includes(` ${name} ${summary}`), name);
    assert.match(summary, /^[A-Z].*[^.]$/, name);
  }
  for (const args of [["--help"], ["-h"]]) assert.equal((await run(args)).stdout, stdout);
});

Deno.test("main() keeps its help within the terminal", async () => {
  for (const columns of [40, 60, 80, 200]) {
    for (const args of [["help"], ...Object.keys(COMMANDS).map((name) => [name, "--help"])]) {
      const { stdout } = await run(args, { columns });
      for (const line of stdout.split("\n")) {
        const fixed = /^ {2}tproxy |^Usage|^ {7}tproxy|^Exit codes|^Commands/.test(line);
        const unbreakable = !line.trim().includes(" ");
        assert.ok(fixed || unbreakable || line.length <= Math.min(columns, 100), `${args}: "${line}"`);
      }
    }
  }
});

Deno.test("main() explains every command, by help and by --help", async () => {
  for (const name of Object.keys(COMMANDS)) {
    const { code, stdout, stderr } = await run([name, "--help"]);
    assert.equal(code, 0, name);
    assert.equal(stderr, "");
    assert.match(stdout, new RegExp(`^Usage: tproxy ${name}`, "m"));
    // "config" is a topic as well: that comes first.
    if (name !== "help") assert.ok((await run(["help", name])).stdout.endsWith(stdout), name);
  }
});

Deno.test("main() says what is missing", async () => {
  for (
    const [args, said] of [
      [["config"], "tproxy config WHAT"],
      [["completion"], "tproxy completion SHELL"],
      [["explain"], "--from ADDRESS --to ADDRESS:PORT"],
      [["explain", "--from", "10.0.0.1"], "`--to`"],
    ] as const
  ) {
    const { code, stderr } = await run([...args]);
    assert.equal(code, 2);
    assert.match(stderr, /missing/i);
    assert.ok(stderr.includes(said), stderr);
  }
});

Deno.test("main() prints the help of check", async () => {
  const { stdout } = await run(["check", "--help"]);
  assert.equal(
    stdout,
    `Validate a config and print what is in effect.
Usage: tproxy check [-c/--config FILE] [FILE]
       tproxy check -h/--help

All errors are listed, as FILE:LINE:COLUMN with the bad value and what is
expected there; the exit code is 2.

What is valid but not supported by this version yet is an error where install
and run refuse it, else a warning.

  -c, --config FILE  Config to use; -: standard input. Without it:
                     /etc/tproxy/tproxy.yaml if it is there, else built-in
                     defaults.
  FILE               Config to check; -: standard input. Without it:
                     /etc/tproxy/tproxy.yaml if it is there, else built-in
                     defaults.
  -h, --help         Show help information.

Examples:
  tproxy check
  tproxy check ./tproxy.yaml
  tproxy check -c ./tproxy.yaml
  tproxy check - < ./tproxy.yaml
`,
  );
});

Deno.test("main() prints version, commit and processor", async () => {
  const line = `tproxy ${VERSION} (from source, ${Deno.build.arch})\n`;
  for (const args of [["--version"], ["-V"], ["version"]]) {
    assert.deepEqual(await run(args), { code: 0, stdout: line, stderr: "" });
  }
  const { stdout } = await run(["version", "--json"]);
  assert.deepEqual(JSON.parse(stdout), {
    version: VERSION,
    commit: "source",
    architecture: Deno.build.arch,
    handover: HANDOVER_PROTOCOL,
  });
});

Deno.test("main() refuses wrong usage with code 2, on stderr alone", async () => {
  const cases: [args: string[], said: RegExp][] = [
    [["chekc"], /^tproxy: Unknown command "chekc", did you mean check\?\nTry: tproxy help\n$/],
    [["comp"], /did you mean completion\?/],
    [["qwertz"], /^tproxy: Unknown command "qwertz"\nTry/],
    [["constructor"], /Unknown command "constructor"/],
    [["--nonsense"], /^tproxy: Unknown option "--nonsense"\n/],
    [[""], /Unknown command ""/],
    [["check", "--nonsense"], /^tproxy check: .*"--nonsense".*\nTry: tproxy check --help\n$/],
    [["check", "a", "b"], /^tproxy check: .*"b"/],
    [["run", "-c"], /^tproxy run: .*-c/],
    [["run", "-c", ""], /^tproxy run: .*empty/],
    [["run", "--confg", "x"], /^tproxy run: .*--config/],
    [["config"], /^tproxy config: /],
    [["config", "exampel"], /^tproxy config: .*example.*schema.*exampel/],
    [["completion"], /^tproxy completion: /],
    [["completion", "tcsh"], /^tproxy completion: .*bash.*tcsh/],
    [["help", "chekc"], /Unknown command "chekc", did you mean check/],
  ];
  for (const [args, said] of cases) {
    const { code, stdout, stderr } = await run(args);
    assert.equal(code, 2, args.join(" "));
    assert.equal(stdout, "", args.join(" "));
    assert.match(stderr, said);
  }
});
