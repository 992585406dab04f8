/** Reloads while the kernel forwards flows of UDP: each goes on from the port that its server knows. */
import assert from "node:assert/strict";
import type { Lab } from "../../laboratory/lab.ts";
import { print } from "../../laboratory/machine/print.ts";
import { until } from "../../laboratory/machine/wait.ts";
import { openClient, openServer, startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { type ConfigText, firstPacketsAsk, type Proxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { Crowd, CROWD_PORT } from "../../laboratory/upgrade/crowd.ts";

const OPTIONS = {
  programs: ["cc", "conntrack", "nft"],
  // Else whoever sends has the client's port.
  masquerade: true,
  forwarding: true,
  netlinkOnly: "with iptables nothing is watched",
  ...firstPacketsAsk() ? {} : { obstacle: "flows are taken early" },
};
const UDP = { protocols: ["tcp", "udp"] };
const ROUNDS = 40;

/** Has the proxy read another config. */
async function reload(lab: Lab, proxy: Proxy, config: ConfigText): Promise<void> {
  writeConfig(lab, config);
  const before = proxy.log.length;
  proxy.program.signal("SIGHUP");
  await until(() => /is in force/.test(proxy.log.slice(before)), { what: "the reload", pollMs: 5 });
}

/** Tells which flows to a port the proxy relays: their client's leg is in a zone of its own. */
async function relayed(lab: Lab, port: number): Promise<string[]> {
  const lines = await Promise.all((["ipv4", "ipv6"] as const).map(async (family) => {
    const { stdout } = await lab.router.run(["conntrack", "-L", "-f", family, "-p", "udp"]);
    return stdout.split("\n");
  }));
  return lines.flat().filter((line) => line.includes(`dport=${port} `) && line.includes("zone="));
}

/** A name may end flows to the port, which go on otherwise; all others are relayed. */
function watching(port: number): ConfigText {
  return {
    intercept: UDP,
    rules: [
      { name: "no", domains: ["no.test"], ports: [port], action: "block" },
      { name: "watched", ports: [port], action: "bypass" },
    ],
  };
}

labTest(
  "a flow that was let go stays with the kernel where rules give it to the proxy by now",
  OPTIONS,
  async (lab) => {
    const [port, other] = [7000, 7001];
    const proxy = await startUdpProxy(lab, watching(port));
    const flows = ([4, 6] as const).map((family) => ({
      family,
      server: openServer(lab, family, port),
      client: openClient(lab, family, port),
    }));
    const ask = async ({ client, server }: Pick<typeof flows[number], "client" | "server">) => {
      client.send("whither");
      const { from } = await server.receive();
      server.send("there", from);
      assert.equal((await client.receive()).text, "there");
      return from;
    };
    const before: string[] = [];
    for (const flow of flows) before.push(await ask(flow));
    assert.deepEqual(await relayed(lab, port), []);
    await reload(lab, proxy, watching(other));
    for (const [i, flow] of flows.entries()) assert.equal(await ask(flow), before[i]);
    assert.deepEqual(await relayed(lab, port), []);
    // New ones go by the rules that are in force.
    for (const { family, server } of flows) await ask({ client: openClient(lab, family, port), server });
    assert.equal((await relayed(lab, port)).length, 2);
  },
);

const PASSES = [{ name: "passes", ports: [CROWD_PORT], action: "bypass" }];
const NETWORKS = [{ name: "passes", to: ["203.0.113.0/24", "198.51.100.0/24"], action: "bypass" }];
const KINDS: readonly (readonly [string, readonly object[]])[] = [
  ["watched", watching(CROWD_PORT).rules as object[]],
  ["let pass by its port", PASSES],
  ["let pass by its network", NETWORKS],
];

for (const [what, rules] of KINDS) {
  labTest(
    `reloads under load: no datagram misses the rule by which its flow is ${what}`,
    OPTIONS,
    async (lab) => {
      const crowd = await Crowd.open(lab);
      // As a list that somebody edits; each changes the rules in the kernel.
      const config = (round: number) => ({
        intercept: UDP,
        rules: [{ name: "probe", ports: [7100 + round % 2], action: "block" }, ...rules],
      });
      const proxy = await startUdpProxy(lab, config(0), { install: false, arguments: ["--install"] });
      const udp = await crowd.udp(200, 10);
      for (let round = 1; round <= ROUNDS; round++) await reload(lab, proxy, config(round));
      const led = await relayed(lab, CROWD_PORT);
      const counts = await udp.end();
      print(`${ROUNDS} reloads, ${JSON.stringify(counts)}`);
      assert.ok(counts.answered > 100 * ROUNDS, "there was no load");
      assert.deepEqual(led, []);
      assert.equal(counts.moved, 0);
    },
  );
}
