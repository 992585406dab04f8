/** A successor takes listeners, sessions and rules from the proxy that runs, under load. */
import assert from "node:assert/strict";
import type { Lab } from "../../laboratory/lab.ts";
import { startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { controlPath, Proxy, PROXY_PORT, tproxyCommand } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { delay } from "../../laboratory/machine/wait.ts";
import { Crowd } from "../../laboratory/upgrade/crowd.ts";

const PROGRAMS = ["cc", "nft"];

/** Starts another proxy that takes over. */
async function succeed(lab: Lab, { configPath }: Proxy): Promise<Proxy> {
  const program = await lab.router.start([...tproxyCommand(), "run", "-c", configPath], {
    env: { TPROXY_TAKES_OVER: controlPath(lab) },
  });
  await program.waitForOutput(`port=${PROXY_PORT}`, { timeoutMs: 20_000 });
  return new Proxy(program, { configPath });
}

labTest("a successor takes over under load", { programs: PROGRAMS }, async (lab) => {
  const count = Number(Deno.env.get("TPROXY_UPGRADE_SESSIONS") ?? "400");
  const rounds = Number(Deno.env.get("TPROXY_UPGRADES") ?? "2");
  const crowd = await Crowd.open(lab);
  let proxy = await startUdpProxy(lab);
  const udp = await crowd.udp(count, 100);
  const tcp = await crowd.tcp(5);
  await delay(500);
  for (let round = 0; round < rounds; round++) {
    const next = await succeed(lab, proxy);
    assert.equal(await proxy.program.waitForExit({ timeoutMs: 20_000 }), 0, proxy.log);
    console.log(proxy.log, next.log);
    proxy = next;
    await delay(500);
  }
  const counts = { udp: await udp.end(), tcp: await tcp.end() };
  console.log(counts);
  assert.equal(counts.udp.moved, 0);
  assert.ok(counts.udp.lost <= counts.udp.sent / 10_000, `${counts.udp.lost} of ${counts.udp.sent} are lost`);
  assert.equal(counts.tcp.failed, 0);
});
