/** Sessions of UDP that go through an upstream go on through it in the successor, under load. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { print } from "../../laboratory/machine/print.ts";
import { delay } from "../../laboratory/machine/wait.ts";
import { startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import type { ConfigText, Proxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { CROWD_PORT, Crowd } from "../../laboratory/upgrade/crowd.ts";
import { succeed } from "../../laboratory/upgrade/successor.ts";
import { startDante } from "../../laboratory/upstreams/proxies.ts";
import { through, type UpstreamText } from "../../laboratory/upstreams/through.ts";

const SOCKS: UpstreamText = { type: "socks5", port: 1080 };
const FORWARD: UpstreamText = { type: "forward", port: CROWD_PORT, proxyProtocol: "v2" };
const UPGRADES = 2;

// Not V2Ray: of many sessions at once it gives some the answers of others.
const UPSTREAMS = [
  { name: "Dante", programs: ["danted"], upstream: SOCKS, start: (lab: Lab) => startDante(lab, SOCKS) },
  { name: "forward with PROXY headers", programs: [], upstream: FORWARD, start: () => Promise.resolve() },
] as const;

for (const { name, programs, upstream, start } of UPSTREAMS) {
  for (const admission of ["forward-path", "early"] as const) {
    labTest(
      `sessions through ${name} go on, admission: ${admission}`,
      { programs: ["cc", ...programs] },
      async (lab) => {
        // What goes to the upstream's own port is none of the proxy's business.
        const crowd = await Crowd.open(lab, upstream === FORWARD ? CROWD_PORT + 1 : CROWD_PORT);
        await start(lab);
        let proxy = await startUdpProxy(lab, ledUdp(lab, upstream, admission));
        const udp = await crowd.udp(60, 100);
        const fresh = await crowd.fresh(20);
        for (let round = 0; round < UPGRADES; round++) proxy = await upgrade(lab, proxy);
        const counts = { udp: await udp.end(), fresh: await fresh.end() };
        print(`${name}, ${admission}: ${JSON.stringify(counts)}`);
        const { lost, moved, doubled, told, answered } = counts.udp;
        assert.deepEqual({ lost, moved, doubled }, { lost: 0, moved: 0, doubled: 0 });
        assert.equal(told, upstream === FORWARD ? answered : 0);
        assert.equal(counts.fresh.failed, 0, "new sessions amid an upgrade");
      },
    );
  }
}

/** A config by which UDP goes through an upstream. */
function ledUdp(lab: Lab, upstream: UpstreamText, admission: "forward-path" | "early"): ConfigText {
  return { ...through(lab, upstream), intercept: { admission } };
}

/** Has a successor take over, and waits for the end of the one before. */
async function upgrade(lab: Lab, proxy: Proxy): Promise<Proxy> {
  await delay(300);
  const next = await succeed(lab, proxy);
  assert.equal(await proxy.program.waitForExit({ timeoutMs: 30_000 }), 0, proxy.log);
  print(/handed over.*/.exec(proxy.log)![0]);
  await delay(300);
  return next;
}
