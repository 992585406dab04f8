/**
 * Watched flows of UDP whose datagrams are larger than the links: their clients send them in fragments, or
 * several as one packet that no link has cut yet.
 */
import assert from "node:assert/strict";
import { IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, SOL_IP, SOL_IPV6 } from "../../../ffi/consts.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";
import { OperationError } from "../../../src/net/error.ts";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { until } from "../../laboratory/machine/wait.ts";
import { assertRefused } from "../../laboratory/names/quic.ts";
import { openClient, openServer } from "../../laboratory/network/udp_peers.ts";
import { at } from "../../laboratory/network/udp_socket.ts";
import { labTest } from "../../laboratory/register.ts";
import { startWatcher } from "../../laboratory/watch/watcher.ts";

const OPTIONS = { programs: ["nft"], forwarding: true };
/** linux/in.h, linux/in6.h: always "don't fragment", and believe what routers say. */
const PMTUDISC_DO = 2;
/** Of datagrams: a little more than a packet of Ethernet has room for, and up to what UDP has. */
const SIZES = [1480, 3001, 9000, 65_400];
const SHUT = 7001;
const RULES = [
  { name: "open", domains: ["other.example"], ports: [SHUT], action: "bypass" },
  { name: "shut", ports: [SHUT], action: "block" },
  { name: "other", domains: ["other.example"], action: "block" },
];

function startNamed(lab: Lab) {
  return startWatcher(lab, { intercept: { protocols: ["tcp", "udp"] }, rules: RULES, default: "bypass" });
}

/** Bytes that differ, so that a fragment in the wrong place shows. */
function bytesOf(length: number): Uint8Array {
  // The first is none of QUIC's: nothing is waited for.
  return Uint8Array.from({ length }, (_, i) => i === 0 ? 0 : (i * 7 + (i >> 8)) & 0xff);
}

for (const masquerade of [false, true]) {
  for (const mtu of [1500, 1400]) {
    const title = `a WAN of ${mtu} bytes${masquerade ? ", masqueraded" : ""}`;
    labTest(`datagrams larger than the links arrive, the first ones too: ${title}`, {
      ...OPTIONS,
      masquerade,
    }, async (lab) => {
      await lab.router.ip(`link set r1 mtu ${mtu}`);
      const watcher = await startNamed(lab);
      // Of IPv6 no router makes fragments smaller: their client has to be told, as without a proxy.
      const families = mtu === 1500 ? [4, 6] as const : [4] as const;
      for (const family of families) {
        for (const size of SIZES) {
          const server = openServer(lab, family);
          const client = openClient(lab, family);
          for (const data of [bytesOf(size), bytesOf(size + 1), bytesOf(100)]) {
            client.send(data);
            const received = await server.receive();
            assert.ok(received.data.join() === data.join(), `IPv${family}, ${size}: another datagram came`);
            server.send("answer", received.from);
            assert.equal((await client.receive()).text, "answer");
          }
          for (const socket of [server, client]) socket.close();
        }
        // A datagram that is too large to be sent in one piece is refused all the same.
        await assertRefused(openClient(lab, family, SHUT), [bytesOf(5000)]);
      }
      const { watched, watchReleased, watchRefused, watchDropped } = await watcher.count();
      const flows = families.length * SIZES.length;
      assert.deepEqual(
        [watched, watchReleased, watchRefused, watchDropped],
        [flows + families.length, flows, families.length, 0],
      );
    });
  }
}

for (const masquerade of [false, true]) {
  labTest(`several datagrams in one packet are left to be repeated${masquerade ? ", masqueraded" : ""}`, {
    ...OPTIONS,
    masquerade,
  }, async (lab) => {
    const watcher = await startNamed(lab);
    for (const family of [4, 6] as const) {
      const server = openServer(lab, family);
      const client = lab.client.udp({ family, connect: at(ADDRESSES[family].server, 7000), segment: 1200 });
      const data = bytesOf(3000);
      client.send(data);
      await until(async () => (await watcher.count()).watchDropped === (family === 4 ? 1 : 2), {
        what: "a packet that cannot be sent on",
      });
      for (let i = 0; i < 3; i++) {
        client.send(data);
        // Nothing comes before, and each as it was sent.
        const received = [await server.receive(), await server.receive(), await server.receive()];
        assert.deepEqual(received.map(({ data }) => data.length), [1200, 1200, 600]);
      }
    }
    const { watched, watchReleased, watchDropped } = await watcher.count();
    assert.deepEqual([watched, watchReleased, watchDropped], [2, 0, 2]);
  });
}

labTest("who forbids fragments is told what fits, as without a proxy", OPTIONS, async (lab) => {
  await lab.router.ip("link set r1 mtu 1400");
  const watcher = await startNamed(lab);
  for (const family of [4, 6] as const) {
    const server = openServer(lab, family);
    const client = openClient(lab, family);
    const [level, name] = family === 4 ? [SOL_IP, IP_MTU_DISCOVER] : [SOL_IPV6, IPV6_MTU_DISCOVER];
    assert.equal(setInt(client.fd, level, name, PMTUDISC_DO), 0);
    client.send(bytesOf(1420));
    await until(() => {
      try {
        client.poll();
        return false;
      } catch (error) {
        return error instanceof OperationError && error.code === "EMSGSIZE";
      }
    }, { what: "EMSGSIZE" });
    client.send(bytesOf(1300));
    assert.equal((await server.receive()).data.length, 1300);
  }
  const { watched, watchReleased, watchDropped } = await watcher.count();
  assert.deepEqual([watched, watchReleased, watchDropped], [2, 2, 0]);
});
