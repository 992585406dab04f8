/** Rules of output that close while flows begin: what the proxy dials before it knows goes through, late. */
import assert from "node:assert/strict";
import type { Lab } from "../../laboratory/lab.ts";
import { delay } from "../../laboratory/machine/wait.ts";
import { attempt } from "../../laboratory/network/dial.ts";
import { serve } from "../../laboratory/network/sockets.ts";
import { openClient, openServer, startEcho, startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { firstPacketsAsk } from "../../laboratory/proxy/proxy.ts";
import { endProxy } from "../../laboratory/proxy/router_proxy.ts";
import { labTest } from "../../laboratory/register.ts";

/** Flows that are taken early are dialled past no rule of output. */
const NEEDS = {
  programs: ["socat", "nft", "python3"],
  ...firstPacketsAsk() ? {} : { obstacle: "flows are taken early" },
};

/** Nothing new leaves the router by itself. */
const STRICT = `table inet strict { chain out { type filter hook output priority 0; policy drop;
  oif "lo" accept; ct state established,related accept; meta l4proto ipv6-icmp accept; }; }`;

/** The proxy's own watch is quiet by then, and the next change is told after 200 ms. */
const QUIET_MS = 1500;
/** A client repeats its SYN after a second, when the proxy knows of the rules. */
const FIRST_REPEAT_MS = 2500;
const INTERVAL_MS = 200;

async function close(lab: Lab): Promise<void> {
  await delay(QUIET_MS);
  await lab.router.nft(STRICT);
}

for (const family of [4, 6] as const) {
  labTest(
    `IPv${family}: a connection that begins as output rules close goes through when its SYN is repeated`,
    NEEDS,
    async (lab) => {
      await serve(lab, 7000, "echo said");
      const proxy = await startUdpProxy(lab);
      await close(lab);
      const { told, ms, heard } = await attempt(lab, { family, port: 7000, seconds: 15 });
      assert.deepEqual([told, heard], ["connected", "said\n"]);
      assert.ok(ms < FIRST_REPEAT_MS, `after ${ms} ms`);
      assert.equal((await endProxy(proxy)).accepted, 1, "it has gone past the proxy");
    },
  );

  labTest(
    `IPv${family}: a flow of UDP that begins as output rules close goes through within a second`,
    NEEDS,
    async (lab) => {
      const seen = startEcho(openServer(lab, family));
      const proxy = await startUdpProxy(lab);
      const client = openClient(lab, family);
      await close(lab);
      const start = performance.now();
      for (let sent = 0; client.poll() === undefined; sent++) {
        assert.ok(sent * INTERVAL_MS < FIRST_REPEAT_MS, `nothing after ${performance.now() - start} ms`);
        client.send(`${sent}`);
        await delay(INTERVAL_MS);
      }
      assert.ok(seen.length > 0);
      assert.ok((await endProxy(proxy))["udp-down"] > 0, "it has gone past the proxy");
    },
  );
}
