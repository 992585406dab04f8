import assert from "node:assert/strict";
import { describeConfig } from "../../../../src/config/describe.ts";
import { ConfigError } from "../../../../src/config/error.ts";
import { readSecrets } from "../../../../src/config/files/secrets.ts";
import { loadText } from "../../../../src/config/load.ts";

const PASSWORD = "k33p-m3-quiet";

function withFile(bytes: string, mode: number, run: (path: string) => void): void {
  const path = Deno.makeTempFileSync();
  try {
    Deno.writeTextFileSync(path, bytes);
    Deno.chmodSync(path, mode);
    run(path);
  } finally {
    Deno.removeSync(path);
  }
}

const config = (path: string, type = "socks5") =>
  loadText(
    `upstreams:\n  a: { type: ${type}, address: "192.0.2.1:1", username: u, password-file: ${path} }\n`,
    "f",
  );

Deno.test("readSecrets() takes one line end off, and keeps all else", () => {
  const cases = [["x", "x"], ["x\n", "x"], ["x\r\n", "x"], [" x ", " x "], ["pässwort\n", "pässwort"]];
  for (const [written, meant] of cases) {
    withFile(written, 0o600, (path) => {
      assert.equal(new TextDecoder().decode(readSecrets(config(path)).get("a")?.reveal()), meant);
    });
  }
});

Deno.test("readSecrets() says, with the place, why a file cannot serve", () => {
  const cases: [string, number, string][] = [
    ["", 0o600, "it is empty"],
    ["\n", 0o600, "it is empty"],
    [PASSWORD, 0o640, "chmod 600"],
    [PASSWORD, 0o604, "mode 604"],
    [`${PASSWORD}\n\n`, 0o600, "more than one line"],
    ["x".repeat(256), 0o600, "longer than 255 bytes"],
    ["x".repeat(5000), 0o600, "larger than 4096 bytes"],
  ];
  for (const [bytes, mode, said] of cases) {
    withFile(bytes, mode, (path) => {
      assert.throws(() => readSecrets(config(path)), (error) => {
        assert.ok(error instanceof ConfigError && error.usage);
        assert.match(error.message, /^f:2:59: upstreams\.a\.password-file: cannot use /);
        assert.ok(error.message.includes(said), error.message);
        assert.ok(!error.message.includes(PASSWORD), error.message);
        return true;
      });
    });
  }
  assert.throws(() => readSecrets(config("/dev/zero")), /not a plain file/);
  assert.throws(() => readSecrets(config("/dev/null/x")), /ENOTDIR/);
  withFile("x".repeat(256), 0o600, (path) => assert.equal(readSecrets(config(path, "http-connect")).size, 1));
});

Deno.test("a password is in nothing that shows a config or the secrets", () => {
  withFile(PASSWORD, 0o600, (path) => {
    const loaded = config(path);
    const secrets = readSecrets(loaded);
    const secret = secrets.get("a")!;
    const shown = [
      JSON.stringify(loaded.config),
      String(describeConfig(loaded.config)),
      JSON.stringify([...secrets]),
      `${secret}`,
      Deno.inspect(secrets),
      Deno.inspect(secret, { showHidden: true }),
    ];
    const bytes = new TextEncoder().encode(PASSWORD).join(", ");
    for (const text of shown.map((shown) => shown.replaceAll(/\s+/g, " "))) {
      assert.ok(!text.includes(PASSWORD) && !text.includes(bytes), text);
    }
  });
});
