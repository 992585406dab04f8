/** ICMP and UDP: errors reach who has to know them, and a narrow path does not end a session. */
import assert from "node:assert/strict";
import { OperationError } from "../../../src/net/error.ts";
import { startCapture } from "../../laboratory/network/capture.ts";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { addFarNetwork, FAR } from "../../laboratory/network/far.ts";
import { labTest } from "../../laboratory/register.ts";
import {
  exchange,
  openClient,
  openServer,
  socketCount,
  startEcho,
  startUdpProxy,
} from "../../laboratory/network/udp_peers.ts";
import { at, type Datagram, type UdpSocket } from "../../laboratory/network/udp_socket.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";

const SOURCES = ["client", "client-address", "router"] as const;

for (const source of SOURCES) {
  for (const masquerade of [false, true]) {
    const behind = masquerade ? ", behind masquerade" : "";
    const title = `run tells a client that nobody listens on a UDP port, source: ${source}${behind}`;
    labTest(title, { masquerade }, async (lab) => {
      await startUdpProxy(lab, { source });
      for (const family of [4, 6] as const) {
        const server = openServer(lab, family);
        const client = openClient(lab, family);
        await exchange(client, server);
        server.close();
        await waitForRefusal(client);
        // A port that never answered, from a socket that has no session yet; then one that does.
        await waitForRefusal(openClient(lab, family, 9));
        await exchange(client, openServer(lab, family));
      }
    });
  }

  labTest(`run goes on with sessions after refusals, source: ${source}`, {}, async (lab) => {
    const proxy = await startUdpProxy(lab, { source, listener: { workers: 1 } });
    for (const family of [4, 6] as const) {
      const { server: address } = ADDRESSES[family];
      const server = openServer(lab, family);
      const asking = lab.client.udp({ family });
      const seen = await exchange(asking, server, at(address, 7000));
      // A connected socket would be told of a refusal that is meant for another.
      const bystander = openClient(lab, family);
      await exchange(bystander, server);
      const sockets = socketCount(proxy);
      for (let i = 0; i < 10; i++) {
        asking.send("anybody?", at(address, 9));
        await delay(20);
      }
      await exchange(bystander, server);
      assert.equal(await exchange(asking, openServer(lab, family, 7001), at(address, 7001)), seen);
      assert.equal(socketCount(proxy), sockets);
    }
  });
}

labTest("run tells a client that the router has no route", { programs: ["tcpdump"] }, async (lab) => {
  await startUdpProxy(lab);
  for (const [family, nowhere] of [[4, "192.0.2.9"], [6, "2001:db8:dead::9"]] as const) {
    const { lan, client: clientAddress } = ADDRESSES[family];
    const filter = `(icmp or icmp6) and src ${lan} and dst ${clientAddress}`;
    const errors = await startCapture(lab.client, { link: "c0", filter });
    lab.client.udp({ family }).send("anybody?", at(nowhere, 7000));
    await delay(300);
    const told = (await errors.stop()).filter((line) => line.includes("unreachable"));
    assert.equal(told.length, 1, told.join("\n"));
    assert.ok(told[0].includes(nowhere), told[0]);
    await exchange(openClient(lab, family), openServer(lab, family));
  }
});

labTest("run goes on with a session when the MTU of the router's WAN interface shrinks", {}, async (lab) => {
  await startUdpProxy(lab);
  for (const family of [4, 6] as const) {
    const client = openClient(lab, family);
    startEcho(openServer(lab, family));
    await setMtu(lab, 1_500);
    for (const size of [10, 1_400, 4_000]) await assertEchoed(client, size);
    await setMtu(lab, 1_280);
    for (const size of [10, 1_240, 1_400, 4_000, 10, 60_000]) await assertEchoed(client, size);
  }
});

for (
  const [source, masquerade] of [["client", false], ["client", true], ["client-address", false], [
    "router",
    false,
  ]] as const
) {
  const title = `run goes on with a session over a hop with a small MTU, source: ${source}`;
  labTest(`${title}${masquerade ? ", behind masquerade" : ""}`, { masquerade }, async (lab) => {
    const far = await addFarNetwork(lab);
    await startUdpProxy(lab, { source });
    for (const family of [4, 6] as const) {
      startEcho(far.udp({ family, bind: at(FAR[family], 7000) }));
      const client = lab.client.udp({ family, connect: at(FAR[family], 7000) });
      for (const size of [10, 1_400, 4_000, 10, 1_400, 60_000, 10]) {
        await assertEchoed(client, size);
      }
    }
  });
}

/** Sends until the kernel says that the port is unreachable: an ICMP error is not sent for every datagram. */
async function waitForRefusal(client: UdpSocket): Promise<void> {
  let code: string | undefined;
  const attempt = () => {
    code = errorOf(() => {
      client.send("anybody?");
      client.poll();
    });
    return code !== undefined;
  };
  await until(attempt, { what: `a refusal at ${client.local}`, pollMs: 100 });
  assert.equal(code, "ECONNREFUSED");
}

/** A datagram of this size comes back; the first ones after a change of the path may be lost. */
async function assertEchoed(client: UdpSocket, size: number): Promise<void> {
  const data = new Uint8Array(size).map((_, i) => i * 7);
  for (let attempt = 0; attempt < 5; attempt++) {
    client.send(data);
    await delay(100);
    let reply: Datagram | undefined;
    // EMSGSIZE: the hop told the client itself, as it does without a proxy; its kernel knows now.
    const error = errorOf(() => reply = client.poll());
    assert.ok(error === undefined || error === "EMSGSIZE", error);
    reply ??= await client.receiveWithin(400);
    if (reply === undefined) continue;
    assert.equal(reply.data.length, size);
    assert.ok(reply.data.every((byte, i) => byte === data[i]));
    return;
  }
  throw new Error(`No datagram of ${size} bytes came back to ${client.local} in 5 attempts`);
}

function errorOf(action: () => void): string | undefined {
  try {
    action();
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return error.code;
  }
}

async function setMtu(lab: Lab, mtu: number): Promise<void> {
  await lab.router.ip(`link set r1 mtu ${mtu}`);
  await lab.server.ip(`link set s0 mtu ${mtu}`);
}
