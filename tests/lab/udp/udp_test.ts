/** UDP through the proxy: who sees whom, every size, right checksums, beside TCP. */
import assert from "node:assert/strict";
import { startCapture } from "../../laboratory/network/capture.ts";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { firstPacketsAsk } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { delay } from "../../laboratory/machine/wait.ts";
import {
  exchange,
  openClient,
  openServer,
  startEcho,
  startUdpProxy,
} from "../../laboratory/network/udp_peers.ts";
import { at } from "../../laboratory/network/udp_socket.ts";

/** The largest datagrams that Linux sends. */
const LARGEST = { 4: 65_507, 6: 65_487 } as const;

for (const source of ["client", "client-address", "router"] as const) {
  labTest(`run relays UDP both ways, source: ${source}`, {}, async (lab) => {
    await startUdpProxy(lab, { source });
    for (const family of [4, 6] as const) {
      const { client: clientAddress, wan } = ADDRESSES[family];
      const server = openServer(lab, family);
      // A connected socket hears only the address and port that it sends to.
      const client = openClient(lab, family);
      const seen = await exchange(client, server);
      if (source === "client") assert.equal(seen, client.local);
      else assert.equal(seen, at(source === "router" ? wan : clientAddress, Number(/\d+$/.exec(seen)![0])));
      assert.equal(await exchange(client, server), seen, "the second datagram comes from elsewhere");
    }
  });
}

labTest("run relays UDP to several servers from one client socket", {}, async (lab) => {
  await startUdpProxy(lab);
  for (const family of [4, 6] as const) {
    const client = lab.client.udp({ family });
    const ports = [53, 443, 7000, 50_080, 65_535];
    for (const port of ports) {
      const server = openServer(lab, family, port);
      await exchange(client, server, at(ADDRESSES[family].server, port));
    }
  }
});

labTest("run relays datagrams of every size, fragments and the empty one", {}, async (lab) => {
  await startUdpProxy(lab);
  for (const family of [4, 6] as const) {
    const echo = startEcho(openServer(lab, family));
    const client = openClient(lab, family);
    const sizes = [0, 1, 511, 1_400, 1_472, 1_473, 4_000, 9_000, 32_768, LARGEST[family], 0, 3];
    for (const size of sizes) {
      const data = randomBytes(size);
      client.send(data);
      const reply = await client.receive();
      assert.equal(reply.data.length, size);
      assert.ok(reply.data.every((byte, i) => byte === data[i]), `${size} bytes came back changed`);
    }
    assert.deepEqual(echo.map(({ size }) => size), sizes);
  }
});

labTest("run relays what the sender's kernel segments, datagram by datagram", {}, async (lab) => {
  await startUdpProxy(lab);
  for (const family of [4, 6] as const) {
    const server = openServer(lab, family);
    const client = lab.client.udp({ family, connect: at(ADDRESSES[family].server, 7000), segment: 1_000 });
    const sizes = [...Array(12).fill(1_000), 500];
    client.send(randomBytes(12_500));
    await delay(100);
    // A train that is a flow's first packet and asks is lost: its copy does not tell where a datagram ends.
    const first = (await server.receiveAll(50)).map(({ data }) => data.length);
    assert.deepEqual(first, firstPacketsAsk() ? [] : sizes);
    const data = randomBytes(12_500);
    client.send(data);
    const received = [];
    for (let i = 0; i < 13; i++) received.push(await server.receive());
    assert.deepEqual(received.map((datagram) => datagram.data.length), sizes);
    assert.ok(
      received.every((datagram, i) => datagram.data.every((byte, j) => byte === data[i * 1_000 + j])),
      "out of order, or changed",
    );
  }
});

labTest("run's replies carry right UDP checksums", { programs: ["ethtool", "tcpdump"] }, async (lab) => {
  // Else the checksum is left to a network card that is not there.
  for (const [namespace, link] of [[lab.client, "c0"], [lab.router, "r0"], [lab.server, "s0"]] as const) {
    await namespace.run(["ethtool", "-K", link, "tx", "off", "rx", "off", "gso", "off"]);
  }
  await lab.router.run(["ethtool", "-K", "r1", "tx", "off", "rx", "off", "gso", "off"]);
  await startUdpProxy(lab);
  for (const family of [4, 6] as const) {
    const sizes = [0, 1, 2, 3, 100, 999, 1_400];
    const atClient = await captureFrom(lab, "client", family);
    const atServer = await captureFrom(lab, "server", family);
    startEcho(openServer(lab, family));
    const client = openClient(lab, family);
    for (const size of sizes) {
      client.send(randomBytes(size));
      await client.receive();
    }
    for (const lines of [await atClient.stop(), await atServer.stop()]) {
      assert.equal(lines.length, sizes.length, lines.join("\n"));
      for (const line of lines) assert.match(line, /\[udp sum ok\]/);
    }
  }
});

labTest("run relays UDP and TCP of one port side by side", { programs: ["curl", "nginx"] }, async (lab) => {
  const nginx = await startNginx(lab, { ports: [8080] });
  await startUdpProxy(lab);
  for (const family of [4, 6] as const) {
    const server = openServer(lab, family, 8080);
    const client = openClient(lab, family, 8080);
    for (let i = 0; i < 3; i++) {
      assert.equal(await exchange(client, server), client.local);
      assert.equal(await nginx.get(family), "hello\n");
      assert.equal((await nginx.waitForAccess(family)).client, ADDRESSES[family].client);
    }
  }
});

/** Captures, with the verdict on checksums, what arrives at the client or the server. */
function captureFrom(lab: Lab, side: "client" | "server", family: 4 | 6) {
  const from = ADDRESSES[family][side === "client" ? "server" : "client"];
  const link = side === "client" ? "c0" : "s0";
  return startCapture(lab[side], { link, filter: `udp and src host ${from}`, verbose: true });
}

function randomBytes(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i += 65_536) crypto.getRandomValues(bytes.subarray(i, i + 65_536));
  return bytes;
}
