/** IPv6 addresses with an IPv4 address in them: no connection of the proxy reaches what they name. */
import assert from "node:assert/strict";
import { labTest } from "../../laboratory/register.ts";
import { buildFrame } from "../../laboratory/network/packets.ts";
import { macOf, RawLink } from "../../laboratory/network/raw_link.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { startDataplaneProgram } from "../../laboratory/proxy/dataplane.ts";
import { parseIp } from "../../../src/net/ip.ts";
import { etherKey } from "../../../src/netlink/nft/sets/set_type.ts";

for (const source of ["client", "router"] as const) {
  labTest(`no connection is dialled to the IPv4 address in an IPv6 one, source: ${source}`, {
    programs: ["socat", "ip"],
  }, async (lab) => {
    await lab.router.ip("route add default via 2001:db8:77::2 dev r1");
    const listener = "TCP4-LISTEN:7000,bind=127.0.0.1,fork,reuseaddr";
    const victim = await lab.router.start(["socat", "-dd", listener, "SYSTEM:cat"], { listens: 7000 });
    const dataplane = await startDataplaneProgram(lab, { source });
    using link = new RawLink(lab.client, "c0");
    link.send(buildFrame({
      source: parseIp("fd77:1::2")!,
      destination: parseIp("::ffff:127.0.0.1")!,
      sourcePort: 5000,
      destinationPort: 7000,
      kind: "syn",
      sourceMac: Uint8Array.of(2, 0, 0, 0, 0, 1),
      destinationMac: etherKey(macOf(lab.router, "r0")),
    }));
    await until(async () => (await dataplane.count()).counters.questions === 1, { what: "a question" });
    await delay(300);
    assert.doesNotMatch(victim.stderr, /accepting/);
    assert.equal((await dataplane.count()).counters.connected, 0);
  });
}
