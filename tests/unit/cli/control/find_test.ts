import assert from "node:assert/strict";
import { DEFAULT_CONFIG } from "../../../../src/config/defaults.ts";
import { run } from "../fake_env.ts";

const FILE = "/t.yaml";

/** Returns the path at which a proxy is asked: nobody answers there. */
async function asked(text: string): Promise<string | undefined> {
  const { code, stderr } = await run(["reload", "-c", FILE], { files: { [FILE]: text } });
  assert.equal(code, 3, stderr);
  return /no proxy answers at ([^;]*);/.exec(stderr)?.[1];
}

Deno.test("a proxy is asked at the path that the config names", async () => {
  assert.equal(await asked("control: /nowhere/a.sock"), "/nowhere/a.sock");
  assert.equal(await asked(`{ "control": "/nowhere/b.sock" }`), "/nowhere/b.sock");
});

Deno.test("a config that is wrong names the path all the same, as far as it can be read", async () => {
  assert.equal(await asked("control: /nowhere/a.sock\nrules: 7"), "/nowhere/a.sock");
  assert.equal(await asked("rules: [\ncontrol: '/nowhere/a.sock'  # here"), "/nowhere/a.sock");
  assert.equal(
    await asked(`{ "listener": { "port": "x" }, "control": "/nowhere/b.sock" }`),
    "/nowhere/b.sock",
  );
});

Deno.test("without a config there is the default path; a file that is not there is an error", async () => {
  const { code, stderr } = await run(["reload"]);
  assert.deepEqual([code, stderr.includes(DEFAULT_CONFIG.control)], [3, true]);
  assert.equal((await run(["reload", "-c", "/gone.yaml"])).code, 2);
});

Deno.test("where control is off, a signal is named", async () => {
  const { code, stderr } = await run(["reload", "-c", FILE], { files: { [FILE]: "control: off" } });
  assert.deepEqual([code, stderr.includes("SIGHUP")], [3, true]);
});
