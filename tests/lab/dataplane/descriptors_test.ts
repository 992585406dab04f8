/** Descriptors: what workers ask the kernel through is open from the start on, whatever comes later. */
import assert from "node:assert/strict";
import { readState } from "../../laboratory/control/state.ts";
import type { Lab } from "../../laboratory/lab.ts";
import { countDescriptorKinds } from "../../laboratory/machine/procfs.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { attempt } from "../../laboratory/network/dial.ts";
import { serve } from "../../laboratory/network/sockets.ts";
import { exchange, openClient, openServer, startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { firstPacketsAsk, type Proxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { recorded } from "../../unit/sniff/recordings.ts";

const WATCHED = 7003;
const CONFIG = {
  rules: [
    { name: "other", domains: ["other.example"], ports: [WATCHED], action: "block" },
    { name: "watched", ports: [WATCHED], action: "bypass" },
    { name: "by hardware", mac: ["02:00:00:00:00:01"], action: "block" },
  ],
  listener: { workers: 2 },
  timeouts: { "udp-idle": "1s" },
};
/** Rules of output that drop new flows, so that conntrack is told of what is dialled. */
const STRICT = `table inet strict { chain out { type filter hook output priority 0; policy drop;
  oif "lo" accept; ct state established,related accept; meta l4proto ipv6-icmp accept; }; }`;
/** Routing that asks for the client, so that the kernel is asked, and dials are pinned to a table. */
const ROUTES = [
  "ip route add default via 203.0.113.2 table 77",
  "ip route add 203.0.113.0/24 dev r1 table 77",
  "ip rule add from 10.77.1.0/24 iif r0 lookup 77 priority 1000",
];
/** More than enough for each worker to have had a flow of each kind. */
const FLOWS = 24;
/** The connection by which its state was asked for is closed by then. */
const ASKED_MS = 500;
/** The proxy's own watch is told of rules within it. */
const TOLD_MS = 1500;

function sockets(proxy: Proxy): number {
  return countDescriptorKinds(proxy.pid).get("socket") ?? 0;
}

async function waitForRest(lab: Lab): Promise<void> {
  const isRest = async () => {
    const { connections, udpSessions } = await readState(lab);
    return connections === 0 && udpSessions === 0;
  };
  await until(isRest, { what: "the end of all sessions", timeoutMs: 20_000 });
  await delay(ASKED_MS);
}

labTest(
  "run has as many sockets at rest after flows of all kinds as it had before the first",
  { programs: ["socat", "nft", "python3"], forwarding: true },
  async (lab) => {
    await serve(lab, 7000, "echo said");
    const [server, watched] = [openServer(lab, 4), openServer(lab, 4, WATCHED)];
    const proxy = await startUdpProxy(lab, CONFIG);
    await waitForRest(lab);
    const before = sockets(proxy);
    if (firstPacketsAsk()) {
      await lab.router.nft(STRICT);
      for (const command of ROUTES) await lab.router.run(command.split(" "));
      await delay(TOLD_MS);
    }
    const initials = recorded("quic-chromium");
    for (let i = 0; i < FLOWS; i++) {
      assert.equal((await attempt(lab, { port: 7000, seconds: 5 })).heard, "said\n");
      await exchange(openClient(lab, 4), server);
      const client = openClient(lab, 4, WATCHED);
      for (const initial of initials) client.send(initial);
      assert.equal((await watched.receiveAll(100)).length, initials.length);
    }
    await waitForRest(lab);
    assert.equal(sockets(proxy), before);
  },
);
