/** `tproxy reload`: what it says, how it ends, and what is in force afterwards. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { serve } from "../../laboratory/network/sockets.ts";
import { attempt } from "../../laboratory/network/dial.ts";
import { type ConfigText, startProxy, tproxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

const BLOCKED = { rules: [{ name: "ads", to: [ADDRESSES[4].server], ports: [7000], action: "block" }] };

async function reload(lab: Lab, config: ConfigText, args: readonly string[] = []) {
  const path = writeConfig(lab, config);
  return { path, ...await tproxy(lab, ["reload", "-c", path, ...args], { mayFail: true }) };
}

labTest("reload says what has changed, and the new config holds when it returns", {
  programs: ["socat", "python3"],
}, async (lab) => {
  await serve(lab, 7000, "echo hello");
  const proxy = await startProxy(lab);
  assert.equal((await attempt(lab, { port: 7000 })).heard, "hello\n");
  const good = await reload(lab, { ...BLOCKED, timeouts: { connect: "3s" } });
  assert.deepEqual([good.code, good.stderr], [0, ""]);
  assert.deepEqual(good.stdout.split("\n"), [
    `reloaded: generation 2 is in force, of ${good.path}`,
    "  timeouts.connect: 10s → 3s",
    `  + rules[0] ads: to ${ADDRESSES[4].server}/32; ports 7000 → block`,
    "",
  ]);
  assert.match((await attempt(lab, { port: 7000 })).told, /refused|reset/);
  const same = await reload(lab, { ...BLOCKED, timeouts: { connect: "3s" } });
  assert.match(same.stdout, /generation 3 is in force, .*\n {2}nothing has changed\n$/);
  assert.match(proxy.log, /generation 3 is in force/);
});

labTest("a reload that is refused says where, ends with 2, and changes nothing", {
  programs: ["socat", "python3"],
}, async (lab) => {
  await serve(lab, 7000, "echo hello");
  const proxy = await startProxy(lab, { config: BLOCKED });
  const blocked = async () => assert.match((await attempt(lab, { port: 7000 })).told, /refused|reset/);
  await blocked();
  const bad = await reload(lab, { rules: [{ action: "blok" }], timeouts: { connect: "soon" } });
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, new RegExp(`^${bad.path}:\\d+:\\d+: `));
  assert.equal(bad.stderr.split("\n").filter((line) => line.startsWith(`${bad.path}:`)).length, 2);
  assert.match(bad.stderr, /not reloaded: generation 1 stays in force\n$/);
  await blocked();
  const restart = await reload(lab, { listener: { port: 50099 } }, ["--json"]);
  assert.equal(restart.code, 2);
  const outcome = JSON.parse(restart.stdout);
  assert.deepEqual([outcome.version, outcome.state, outcome.generation], [1, "bad-config", 1]);
  assert.match(outcome.reasons[0], /listener\.port has changed: restart the proxy/);
  await blocked();
  await proxy.program.stop("SIGTERM");
  const nobody = await reload(lab, BLOCKED);
  assert.equal(nobody.code, 3);
  assert.match(nobody.stderr, /no proxy answers at /);
  const off = await reload(lab, { control: "off" });
  assert.deepEqual([off.code, /SIGHUP/.test(off.stderr)], [3, true]);
});
