import assert from "node:assert/strict";
import { followEndSignals, followHangUps } from "../../../src/daemon/signals.ts";

async function until(isTrue: () => boolean): Promise<void> {
  for (let round = 0; !isTrue(); round++) {
    assert.ok(round < 1000, "not true after 5 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("followHangUps() keeps a SIGHUP that comes while nobody can obey, however often it comes", async () => {
  const hangUps = followHangUps();
  let other = 0;
  const note = () => void other++;
  Deno.addSignalListener("SIGHUP", note); // it comes after the other listener
  Deno.kill(Deno.pid, "SIGHUP");
  await until(() => other === 1);
  Deno.kill(Deno.pid, "SIGHUP");
  await until(() => other === 2);
  let reloads = 0;
  hangUps.obey(() => reloads++);
  assert.equal(reloads, 1);
  Deno.kill(Deno.pid, "SIGHUP");
  await until(() => reloads === 2);
  Deno.removeSignalListener("SIGHUP", note);
  hangUps.end();
});

Deno.test("followHangUps() has nothing obeyed where nothing came", () => {
  const hangUps = followHangUps();
  hangUps.obey(() => assert.fail("a reload that nobody asked for"));
  hangUps.end();
});

Deno.test("followEndSignals() keeps a SIGTERM that comes while nobody can obey, and obeys it once", async () => {
  const signals = followEndSignals();
  let other = 0;
  const note = () => void other++;
  Deno.addSignalListener("SIGTERM", note); // it comes after the other listener
  Deno.kill(Deno.pid, "SIGTERM");
  await until(() => other === 1);
  const done: string[] = [];
  signals.obey({
    drain: () => done.push("drain") * 100_000,
    stop: (again) => void done.push(`stop ${again}`),
  });
  assert.deepEqual(done, ["drain"]);
  Deno.kill(Deno.pid, "SIGTERM");
  await until(() => other === 2);
  assert.deepEqual(done, ["drain", "stop true"]);
  Deno.removeSignalListener("SIGTERM", note);
  signals.end();
});

Deno.test("followEndSignals() lets a second signal end what nobody ends yet", async () => {
  const url = new URL("../../../src/daemon/signals.ts", import.meta.url);
  const script = `import { followEndSignals } from "${url}"; followEndSignals();
    setInterval(() => {}, 1000); Deno.kill(Deno.pid, "SIGINT");
    setTimeout(() => { console.log("lives"); Deno.kill(Deno.pid, "SIGTERM"); }, 100);`;
  const { stdout, signal } = await new Deno.Command(Deno.execPath(), { args: ["eval", script] }).output();
  assert.equal(new TextDecoder().decode(stdout), "lives\n");
  assert.equal(signal, "SIGTERM");
});
