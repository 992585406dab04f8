/** `intercept.router-traffic`: what programs on the router itself send, seen by real programs there. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "./support/lab.ts";
import { startNginx } from "./support/nginx.ts";
import { type Proxy } from "./support/proxy.ts";
import { labTest } from "./support/register.ts";
import { startUdpProxy } from "./support/udp_peers.ts";

const PROGRAMS = ["curl", "nginx", "socat"];

/** `tproxy install` and `run` with TCP and UDP, of the router too. */
function startRouterProxy(lab: Lab, config: Record<string, unknown> = {}): Promise<Proxy> {
  const { intercept, ...rest } = config;
  return startUdpProxy(lab, {
    ...rest,
    intercept: { "router-traffic": true, ...intercept as Record<string, unknown> | undefined },
  });
}

/** What the proxy says at its end. */
async function counts(proxy: Proxy): Promise<Record<string, number>> {
  proxy.program.signal("SIGTERM");
  await proxy.program.waitForExit({ timeoutMs: 60_000 });
  const line = / stopped (.*)/.exec(proxy.log)![1];
  return Object.fromEntries(line.split(" ").map((field) => field.split("=")).map(([k, v]) => [k, Number(v)]));
}

for (const source of ["client", "client-address", "router"]) {
  labTest(`run relays the router's own TCP, once each, with source: ${source}`, {
    programs: PROGRAMS,
  }, async (lab) => {
    const nginx = await startNginx(lab);
    const proxy = await startRouterProxy(lab, { source });
    for (const family of [4, 6] as const) {
      const { stdout } = await lab.router.run(["curl", "-sSfm10", nginx.url(family)]);
      assert.equal(stdout, "hello\n");
      assert.equal((await nginx.waitForAccess(family)).client, ADDRESSES[family].wan);
      assert.equal(await nginx.get(family), "hello\n");
      const seen = (await nginx.waitForAccess(family)).client;
      assert.equal(seen, source === "router" ? ADDRESSES[family].wan : ADDRESSES[family].client);
    }
    const { accepted, connected, failed } = await counts(proxy);
    assert.deepEqual({ accepted, connected, failed }, { accepted: 4, connected: 4, failed: 0 });
  });
}
