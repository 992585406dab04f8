import assert from "node:assert/strict";
import { type Datagram, UdpPeer } from "../../../../../src/cli/selftest/hosts/udp_peer.ts";
import { talk } from "../../../../../src/cli/selftest/hosts/udp_client.ts";
import { type Endpoint, formatEndpoint, parseEndpoint } from "../../../../../src/net/ip.ts";
import { descriptorTest } from "../../../ffi/support/descriptors.ts";

const PATIENCE_MS = 5000;

function loopback(port = 0): Endpoint {
  return parseEndpoint(`127.0.0.1:${port}`)!;
}

async function nextDatagram(peer: UdpPeer): Promise<Datagram> {
  const received = await peer.next(PATIENCE_MS);
  assert.ok(typeof received === "object", `${received}`);
  return received;
}

descriptorTest("UdpPeer tells datagrams, empty ones too, with their sender", async () => {
  using a = UdpPeer.bound(loopback());
  using b = UdpPeer.bound(loopback());
  assert.equal(b.receive(), undefined);
  a.send(new Uint8Array(0), loopback(b.localPort));
  a.send(new Uint8Array(65507).fill(7), loopback(b.localPort));
  const empty = await nextDatagram(b);
  assert.equal(empty.payload.length, 0);
  assert.equal(formatEndpoint(empty.from), formatEndpoint(loopback(a.localPort)));
  assert.deepEqual((await nextDatagram(b)).payload, new Uint8Array(65507).fill(7));
});

descriptorTest("UdpPeer waits in vain for as long as it is told", async () => {
  using peer = UdpPeer.bound(loopback());
  const start = performance.now();
  assert.equal(await peer.next(50), "timeout");
  assert.ok(performance.now() - start >= 50);
});

descriptorTest("a connected UdpPeer learns of a refusal, an unconnected one does not", async () => {
  const gone = UdpPeer.bound(loopback());
  const nobody = loopback(gone.localPort);
  gone[Symbol.dispose]();
  const step = { to: { hostname: "127.0.0.1", port: nobody.port }, replies: 1 };
  assert.equal((await talk([step], { timeoutMs: PATIENCE_MS, connected: true })).kind, "refused");
  assert.equal((await talk([step], { timeoutMs: 50 })).kind, "timeout");
});

descriptorTest("talk() uses one port for all, and keeps the replies that came before silence", async () => {
  using a = UdpPeer.bound(loopback());
  using b = UdpPeer.bound(loopback());
  const step = (peer: UdpPeer) => ({ to: { hostname: "127.0.0.1", port: peer.localPort }, replies: 1 });
  const talking = talk([step(a), step(b)], { timeoutMs: 1000 });
  const first = await nextDatagram(a);
  a.send(first.payload, first.from);
  const second = await nextDatagram(b);
  assert.equal(second.from.port, first.from.port);
  assert.deepEqual(await talking, {
    kind: "timeout",
    replies: [{ from: formatEndpoint(loopback(a.localPort)), text: "hello" }],
    localPort: first.from.port,
  });
});
