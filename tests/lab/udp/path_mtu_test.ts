/** Datagrams that are larger than the router's way out allows: they end as on any router (RFC 1191, 8201). */
import assert from "node:assert/strict";
import {
  IP_MTU_DISCOVER,
  IP_PMTUDISC_DONT,
  IP_PMTUDISC_PROBE,
  IPV6_MTU_DISCOVER,
  IPV6_PMTUDISC_PROBE,
  SOL_IP,
  SOL_IPV6,
} from "../../../ffi/consts.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { delay } from "../../laboratory/machine/wait.ts";
import { exchange, openServer } from "../../laboratory/network/udp_peers.ts";
import { at, type UdpSocket } from "../../laboratory/network/udp_socket.ts";
import { startAskedDataplane } from "../../laboratory/proxy/dataplane.ts";
import { labTest } from "../../laboratory/register.ts";
import { check } from "../../../src/net/error.ts";

const LARGE = "x".repeat(1420);

/** Makes the way out narrower than the way in. */
async function narrow(lab: Lab, masquerade: boolean): Promise<void> {
  await lab.router.ip("link set r1 mtu 1400");
  if (!masquerade) return;
  await lab.router.nft(`table inet administrator {
    chain post { type nat hook postrouting priority srcnat; iifname "r0" oifname "r1" masquerade; }
  }`);
}

/** A client that a server knows, and the server. */
async function acquaint(lab: Lab, family: 4 | 6): Promise<{ client: UdpSocket; server: UdpSocket }> {
  const server = openServer(lab, family);
  const client = lab.client.udp({ family, connect: at(ADDRESSES[family].server, 7000) });
  await exchange(client, server);
  return { client, server };
}

function discover(client: UdpSocket, family: 4 | 6, how: number): void {
  const [level, name] = family === 4 ? [SOL_IP, IP_MTU_DISCOVER] : [SOL_IPV6, IPV6_MTU_DISCOVER];
  check(setInt(client.fd, level, name, how), "set the MTU discovery");
}

for (const masquerade of [false, true]) {
  const where = masquerade ? ", behind masquerade" : "";

  labTest(
    `UDP that asks is told when it is too large for the way out, as by any router${where}`,
    {},
    async (lab) => {
      await narrow(lab, masquerade);
      await startAskedDataplane(lab);
      for (const family of [4, 6] as const) {
        const { client, server } = await acquaint(lab, family);
        client.send(LARGE);
        assert.equal(await server.receiveWithin(200), undefined, "nobody may cut it");
        assert.throws(() => client.send(LARGE), /EMSGSIZE/, "it is told");
        // Its kernel knows the MTU now, and cuts it itself.
        client.send(LARGE);
        assert.equal((await server.receive()).text.length, LARGE.length);
        await exchange(client, server);
      }
    },
  );

  labTest(`UDP that asks is probed as it is: QUIC finds the MTU of the path${where}`, {}, async (lab) => {
    await narrow(lab, masquerade);
    await startAskedDataplane(lab);
    for (const [family, how] of [[4, IP_PMTUDISC_PROBE], [6, IPV6_PMTUDISC_PROBE]] as const) {
      const { client, server } = await acquaint(lab, family);
      discover(client, family, how);
      const fits = 1400 - (family === 4 ? 28 : 48);
      for (const size of [fits - 40, fits, fits + 1, 1440, fits]) {
        try {
          client.send("x".repeat(size));
        } catch { /* EMSGSIZE: it has been told */ }
        await delay(20);
      }
      const sizes = (await server.receiveAll(200)).map(({ text }) => text.length);
      assert.deepEqual(sizes.filter((size) => size > fits), []);
      assert.ok(sizes.includes(fits) && sizes.includes(fits - 40));
    }
  });
}

labTest(
  "UDP that asks may be cut where its client allows it, and what came in fragments leaves so",
  {},
  async (lab) => {
    await narrow(lab, false);
    const dataplane = await startAskedDataplane(lab);
    const client = lab.client.udp({ family: 4, connect: at(ADDRESSES[4].server, 7000) });
    discover(client, 4, IP_PMTUDISC_DONT);
    const server = openServer(lab, 4);
    await exchange(client, server);
    client.send(LARGE);
    assert.equal((await server.receive()).text.length, LARGE.length);
    for (const family of [4, 6] as const) {
      const sender = lab.client.udp({ family, connect: at(ADDRESSES[family].server, 7001) });
      const receiver = lab.server.udp({ family, bind: at(ADDRESSES[family].server, 7001) });
      await exchange(sender, receiver);
      sender.send("y".repeat(5000));
      assert.equal((await receiver.receive()).text.length, 5000);
    }
    assert.equal((await dataplane.count()).counters.udpDropped, 0);
  },
);

labTest("UDP that asks in fragments leaves so, in a burst as well", {}, async (lab) => {
  await narrow(lab, false);
  await startAskedDataplane(lab);
  for (const family of [4, 6] as const) {
    const { client, server } = await acquaint(lab, family);
    client.send(LARGE);
    await delay(200); // it is told, and so its kernel knows the MTU
    const other = lab.client.udp({ family, connect: at(ADDRESSES[family].server, 7000) });
    for (let i = 0; i < 3; i++) other.send(LARGE);
    const sizes = (await server.receiveAll(300)).map(({ text }) => text.length);
    assert.deepEqual(sizes, [LARGE.length, LARGE.length, LARGE.length], `IPv${family}`);
  }
});
