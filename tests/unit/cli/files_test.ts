import assert from "node:assert/strict";
import { filesUnder } from "../../../src/cli/files.ts";

/** A folder that somebody else may write to, and a file of root's. */
function inFolder(test: (folder: string, victim: string) => void): void {
  const root = Deno.makeTempDirSync({ prefix: "tproxy-files-" });
  const [folder, victim] = [`${root}/collector`, `${root}/shadow`];
  Deno.mkdirSync(folder);
  Deno.writeTextFileSync(victim, "secret", { mode: 0o600 });
  try {
    test(folder, victim);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

const mode = (path: string) => Deno.statSync(path).mode! & 0o7777;

Deno.test("write() follows no link that somebody has put where it writes: root's files stay as they are", () => {
  inFolder((folder, victim) => {
    const path = `${folder}/tproxy.prom`;
    for (const name of [".tproxy.prom.new", "tproxy.prom"]) Deno.symlinkSync(victim, `${folder}/${name}`);
    filesUnder("/").write(path, { text: "metrics\n", mode: 0o644 });
    assert.deepEqual([Deno.readTextFileSync(victim), mode(victim)], ["secret", 0o600]);
    assert.equal(Deno.lstatSync(path).isFile, true);
    assert.deepEqual([Deno.readTextFileSync(path), mode(path)], ["metrics\n", 0o644]);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["tproxy.prom"]);
  });
});

Deno.test("write() gives a file its mode, whatever the umask and the file before", () => {
  inFolder((folder) => {
    const path = `${folder}/sub/tproxy.prom`;
    const before = Deno.umask(0o077);
    try {
      filesUnder("/").write(path, { text: "one", mode: 0o644 });
      assert.equal(Deno.umask(), 0o077);
      assert.deepEqual([mode(path), mode(`${folder}/sub`)], [0o644, 0o700]);
      filesUnder("/").write(path, { text: "two", mode: 0o755 });
      assert.deepEqual([Deno.readTextFileSync(path), mode(path)], ["two", 0o755]);
    } finally {
      Deno.umask(before);
    }
  });
});
