/** IPv6 addresses with an IPv4 address in them: no socket of the proxy reaches what they name. */
import assert from "node:assert/strict";
import { endProxy } from "../../laboratory/proxy/router_proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { buildFrame } from "../../laboratory/network/packets.ts";
import { macOf, RawLink } from "../../laboratory/network/raw_link.ts";
import { startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { parseIp } from "../../../src/net/ip.ts";
import { etherKey } from "../../../src/netlink/nft/sets/set_type.ts";

labTest("run sends no datagram to the IPv4 address in an IPv6 one, source: router", {}, async (lab) => {
  const proxy = await startUdpProxy(lab, { source: "router", intercept: { admission: "early" } });
  const victim = lab.router.udp({ family: 4, bind: "127.0.0.1:7000" });
  using link = new RawLink(lab.client, "c0");
  const send = (destination: string) =>
    link.send(buildFrame({
      source: parseIp("fd77:1::2")!,
      destination: parseIp(destination)!,
      sourcePort: 5000,
      destinationPort: 7000,
      kind: "udp",
      sourceMac: Uint8Array.of(2, 0, 0, 0, 0, 1),
      destinationMac: etherKey(macOf(lab.router, "r0")),
    }));
  send("::ffff:127.0.0.1");
  send("::127.0.0.1");
  assert.equal(await victim.receiveWithin(300), undefined);
  assert.equal((await endProxy(proxy))["udp-dropped"], 2);
});
