/**
 * First datagrams of QUIC, and what becomes of them where names decide.
 * @module
 */
import assert from "node:assert/strict";
import { recorded } from "../../unit/sniff/recordings.ts";
import type { Lab } from "../lab.ts";
import { openClient, openServer } from "../network/udp_peers.ts";
import type { UdpSocket } from "../network/udp_socket.ts";

/** Datagrams that are no Initial: words, zeros, one that is cut, a version that nobody knows. */
export function notInitials(): Uint8Array[] {
  const [initial] = recorded("quic-ngtcp2");
  return [
    new TextEncoder().encode("a query"),
    new Uint8Array(1200),
    initial.subarray(0, 1199),
    Uint8Array.from(initial, (byte, i) => i === 4 ? 0xff : byte),
  ];
}

/** Everything that has come, in order; each must be whole. */
export async function receiveAll(socket: UdpSocket, quietMs: number): Promise<Uint8Array[]> {
  return (await socket.receiveAll(quietMs)).map(({ data }) => data);
}

/**
 * Sends datagrams, and proves that the client is told that nobody takes them; the error may come between two.
 */
export async function assertRefused(client: UdpSocket, datagrams: readonly Uint8Array[]): Promise<void> {
  await assert.rejects(async () => {
    for (const datagram of datagrams) client.send(datagram);
    await client.receive();
  }, /ECONNREFUSED/);
}

/** Proves that a hello that never becomes whole goes on after a second, and then all at once. */
export async function assertWaitsASecond(lab: Lab): Promise<void> {
  const [first, second] = recorded("quic-chromium");
  const server = openServer(lab, 4);
  const client = openClient(lab, 4);
  const before = performance.now();
  client.send(first);
  assert.equal((await server.receive()).data.length, first.length);
  const waited = performance.now() - before;
  assert.ok(waited > 900 && waited < 1500, `after ${waited} ms`);
  client.send(second);
  assert.equal((await server.receive()).data.length, second.length);
  server.close();
}
