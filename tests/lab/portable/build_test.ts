/**
 * Two builds of the same sources make the same: here, and in another directory with empty caches. Only what
 * was brought from npm and Debian is shared, and no gigabytes are compressed
 * (scripts/lib/build/proof/fingerprint.ts).
 */
import assert from "node:assert/strict";
import { runProgram } from "../../laboratory/program.ts";

const PROJECT = new URL("../../../", import.meta.url).pathname;
const SOURCES = ["deno.json", "deno.lock", "LICENSE", "mod.ts", "ffi", "src", "scripts"];
/** The commit, which the copy does not know. */
const OF_THE_COMMIT = "build.json";

async function fingerprint(directory: string): Promise<Record<string, string>> {
  const script = "scripts/lib/build/proof/fingerprint.ts";
  const { stdout } = await runProgram(
    [`${directory}/scripts/deno`, "run", "-A", `${directory}/${script}`],
    { timeoutMs: 240_000 },
  );
  const { [OF_THE_COMMIT]: commit, ...files } = JSON.parse(stdout);
  assert.match(commit, /^[0-9a-f]{64}$/);
  return files;
}

Deno.test("the launcher and every file of the layers are the same when they are built in another directory", async () => {
  const here = await fingerprint(PROJECT.replace(/\/$/, ""));
  const directory = await Deno.makeTempDir({ prefix: "tproxy-lab-build-" });
  try {
    const copy = `${directory}/another/name`;
    await Deno.mkdir(`${copy}/.cache`, { recursive: true });
    await runProgram(["cp", "-a", ...SOURCES.map((name) => PROJECT + name), copy]);
    for (const { name } of Deno.readDirSync(`${PROJECT}.cache`)) {
      if (/^(deno-\d|debian$)/.test(name)) {
        await Deno.symlink(`${PROJECT}.cache/${name}`, `${copy}/.cache/${name}`);
      }
    }
    const there = await fingerprint(copy);
    assert.deepEqual(there, here);
    for (const name of ["launcher", "deno", "tproxy", "tproxy.js", "worker.js", "licenses.txt"]) {
      assert.ok(name in there, `there is no ${name}`);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
