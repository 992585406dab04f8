import assert from "node:assert/strict";
import { followHangUps } from "../../../src/daemon/signals.ts";

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
