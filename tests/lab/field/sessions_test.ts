/** Hole punching, half-closed and sleeping connections (field cases 32, 23, 8). */
import { SHUT_WR } from "../../../ffi/consts.ts";
import { shutdownSocket } from "../../../ffi/sockets/socket.ts";
import { Caller } from "../../laboratory/field/caller.ts";
import { fieldTest } from "../../laboratory/field/field.ts";
import { FIELD, type Places } from "../../laboratory/field/places.ts";
import { every, type Probe } from "../../laboratory/field/probes.ts";
import { chain, tableText } from "../../laboratory/field/rules.ts";
import { delay } from "../../laboratory/machine/wait.ts";
import { at } from "../../laboratory/network/udp_socket.ts";

/** Client and server dial at once from the port that the other dials. */
const PUNCH: Probe = {
  name: "both ends dial at once",
  expected: "both: there and back",
  async run({ client, server }) {
    using near = new Caller(client, at(FIELD.server[4], 40_002), { bind: at(FIELD.client[4], 40_001) });
    using far = new Caller(server, at(FIELD.wan[4], 40_001), { bind: at(FIELD.server[4], 40_002) });
    const failures = [await near.connected(3_000), await far.connected(3_000)];
    if (failures.some((failure) => failure !== undefined)) return failures.join(", ");
    near.send("there");
    far.send("back");
    return `both: ${await far.read(/there/, 1_500)} and ${await near.read(/back/, 1_500)}`;
  },
};

fieldTest("TCP hole punching behind masquerade", {
  masquerade: true,
  different: "the dial of the proxy is refused by a server that dials at the same time",
  // The server's own NAT lets nothing out that its host has not begun: so nobody is refused too early.
  before: ({ lab }) =>
    lab.server.nft(tableText("nat", chain("filter", "output 0", "tcp flags & rst == rst drop"))),
  probes: [PUNCH, ...every("server", 80, "server sees wan")],
});

/** Says nothing for a while, unheard; then it talks again. */
async function sleepAndWake({ client }: Places, caller: Caller, seconds: number): Promise<string> {
  await client.nft(`table inet asleep {
    chain in { type filter hook input priority 0; policy drop; }
    chain out { type filter hook output priority 0; policy drop; }
  }`);
  await delay(seconds * 1_000);
  await client.nft("delete table inet asleep");
  caller.send("awake");
  return await caller.read(/awake/, 5_000);
}

const slow = Deno.env.get("TPROXY_LAB_SLOW") === undefined
  ? { obstacle: "it takes five minutes (TPROXY_LAB_SLOW=1 runs it)" }
  : {};

fieldTest("a laptop that sleeps for 150 s, and an answer 70 s after the end of the question", {
  ...slow,
  probes: [{
    name: "a sleeping client, and a half-closed connection",
    expected: "awake, end",
    async run(places) {
      using sleeper = new Caller(places.client, at(FIELD.server[4], 80));
      using halfClosed = new Caller(places.guest, at(FIELD.server[4], 80));
      for (const caller of [sleeper, halfClosed]) {
        await caller.connected(1_500);
        await caller.read(/\n/, 1_500);
      }
      const waking = sleepAndWake(places, sleeper, 150);
      await delay(1_000);
      shutdownSocket(halfClosed.fd, SHUT_WR);
      return `${await waking}, ${await halfClosed.read(/never/, 1_000)}`;
    },
  }],
});
