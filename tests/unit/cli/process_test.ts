import assert from "node:assert/strict";

const PROJECT = new URL("../../../", import.meta.url).pathname;
const TPROXY = [
  Deno.execPath(),
  "run",
  "-A",
  "--no-prompt",
  "--quiet",
  "--no-check",
  `${PROJECT}src/cli/entry.ts`,
];

/** Runs a shell command in which `tproxy` is the real program. */
async function shell(script: string, program = "bash") {
  const call = TPROXY.map((word) => `'${word}'`).join(" ");
  const output = await new Deno.Command(program, {
    args: ["-c", `tproxy() { ${call} "$@"; }\n${script}`],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code: output.code, stdout: text(output.stdout), stderr: text(output.stderr) };
}

Deno.test("tproxy exits with 0, and with 2 for wrong usage and an invalid config", async () => {
  const { stdout, stderr } = await shell(`
    tproxy --version; echo "$?"
    tproxy nonsense; echo "$?"
    tproxy check /nonexistent; echo "$?"
    tproxy check /proc; echo "$?"
    tproxy check ${Deno.execPath()}; echo "$?"
    tproxy check ${PROJECT}tests/testdata/config/design.yaml | tail -1; echo "\${PIPESTATUS[0]}"
  `);
  assert.deepEqual(stdout.split("\n").filter((line) => /^\d$/.test(line)), ["0", "2", "2", "2", "2", "2"]);
  assert.match(stderr, /ENOENT/);
  assert.match(stderr, /EISDIR/);
  assert.match(stderr, /larger than|not a text/);
});

Deno.test("tproxy reads a config from a pipe that is written slowly, or has no end", async () => {
  const { stdout, stderr } = await shell(`
    { echo 'listener:'; sleep 0.2; printf '  port: 50081'; } | tproxy check - | head -1
    printf 'listener:\\n  port: 0\\n' | tproxy check -; echo "$?"
    yes | tproxy check - ; echo "$?"
    tproxy check - < /proc; echo "$?"
  `);
  assert.equal(stdout, "<stdin>: valid. In effect:\n2\n2\n2\n");
  assert.match(stderr, /<stdin>:2:9: listener\.port/);
  assert.match(stderr, /<stdin>:.* too large for a config/);
  assert.match(stderr, /Cannot read config "<stdin>": EISDIR/);
});

Deno.test("tproxy reads a config by the descriptor that it is given, and none that has no end", async () => {
  const { stdout, stderr } = await shell(`
    tproxy check <(printf 'listener:\n  port: 50081') | head -1
    printf 'listener:\n  port: 50081' | tproxy check /dev/stdin | head -1
    tproxy check /dev/stdin < /dev/zero; echo "$?"
    tproxy check /dev/zero; echo "$?"
    tproxy run -c /dev/zero; echo "$?"
  `);
  assert.match(stdout, /^\/dev\/fd\/\d+: valid\. In effect:\n\/dev\/stdin: valid\. In effect:\n2\n2\n2\n$/);
  assert.match(stderr, /\/dev\/stdin:.* too large for a config/);
  assert.equal(stderr.split('Cannot read config "/dev/zero": it is not a plain file').length, 3);
});

Deno.test("tproxy ends silently when nobody reads its output", async () => {
  // More than a pipe holds: the reader is gone for certain.
  const { stdout, stderr } = await shell(`
    for i in 1 2 3; do tproxy config schema; tproxy config schema; tproxy config schema; tproxy config schema; done | head -1
    tproxy config example | true; echo "\${PIPESTATUS[0]}"
    tproxy config example > /dev/full; echo "$?"
  `);
  assert.match(stdout, /^\{\n(0|141)\n1\n$/);
  assert.match(stderr, /^tproxy: Cannot write to stdout: No space left on device.*\n$/);
});

Deno.test("tproxy completion completes commands, options and words in bash", async () => {
  const { stdout, stderr } = await shell(`
    eval "$(tproxy completion bash)"
    complete_words() {
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=\${#COMP_LINE}; COMPREPLY=()
      _tproxy
      echo "\${COMPREPLY[*]}"
    }
    complete_words tproxy conf
    complete_words tproxy run --c
    complete_words tproxy config ex
    complete_words tproxy completion z
    cd ${PROJECT}tests/testdata/config
    complete_words tproxy run -c des
    complete_words tproxy check des
  `);
  assert.equal(stderr, "");
  const [conf, option, example, zsh, file, checked] = stdout.split("\n").map((line) => line.trim());
  assert.deepEqual([conf, option, example, zsh, file, checked], [
    "confirm config",
    "--config",
    "example",
    "zsh",
    "design.yaml",
    "design.yaml",
  ]);
});

Deno.test("tproxy check opens no C library: it works without leave to", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...TPROXY.slice(1, 2),
      "--allow-read",
      "--allow-env",
      "--allow-sys",
      "--no-prompt",
      "--quiet",
      "--no-check",
      TPROXY.at(-1)!,
      "check",
    ],
    stdout: "piped",
    stderr: "inherit",
  }).output();
  assert.match(new TextDecoder().decode(stdout), /: valid\. In effect:/);
});
