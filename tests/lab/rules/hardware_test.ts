/** Rules with `mac`: what counts is the address in the packet, whatever the neighbour table knows. */
import assert from "node:assert/strict";
import { parseIp } from "../../../src/net/ip.ts";
import { etherKey } from "../../../src/netlink/nft/sets/set_type.ts";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { buildFrame } from "../../laboratory/network/packets.ts";
import { macOf, RawLink } from "../../laboratory/network/raw_link.ts";
import { openServer, startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { endProxy } from "../../laboratory/proxy/router_proxy.ts";
import { labTest } from "../../laboratory/register.ts";

const MAC = "02:00:00:00:00:01";
const CLIENTS = { 4: "10.77.1.77", 6: "fd77:1::77" } as const;

labTest("a rule with mac has the UDP of a client that the neighbour table knows with another address", {
  netlinkOnly: "the first packet tells it with nf_tables alone",
}, async (lab) => {
  // Where names decide, the proxy asks the rules about each flow.
  const rules = [
    { name: "names", domains: ["ads.example"], action: "block" },
    { name: "own", mac: [MAC], action: "direct" },
  ];
  const proxy = await startUdpProxy(lab, { rules, default: "block" });
  for (const address of Object.values(CLIENTS)) {
    await lab.router.ip(`neigh replace ${address} lladdr 02:00:00:00:00:09 dev r0`);
  }
  using link = new RawLink(lab.client, "c0");
  for (const family of [4, 6] as const) {
    const server = openServer(lab, family);
    link.send(buildFrame({
      source: parseIp(CLIENTS[family])!,
      destination: parseIp(ADDRESSES[family].server)!,
      sourcePort: 5000,
      destinationPort: 7000,
      kind: "udp",
      payload: Uint8Array.of(1, 2, 3),
      sourceMac: etherKey(MAC),
      destinationMac: etherKey(macOf(lab.router, "r0")),
    }));
    assert.equal((await server.receiveWithin(2000))?.data.length, 3, `IPv${family}`);
  }
  assert.equal((await endProxy(proxy))["udp-sessions"], 2);
});
