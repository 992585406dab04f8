import assert from "node:assert/strict";
import {
  AF_INET6,
  EAGAIN,
  SO_KEEPALIVE,
  SO_RCVTIMEO,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
} from "../../../../ffi/consts.ts";
import { openPipe, setPipeSize, spliceBytes } from "../../../../ffi/pipe.ts";
import { makeSockaddr, readSockaddr, sameSockaddr, writeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import {
  acceptSocket,
  bindSocket,
  closeFd,
  connectSocket,
  listenSocket,
  localAddress,
  openSocket,
  peerAddress,
  receive,
  receiveFrom,
  receiveWithFlags,
  send,
  sendTo,
} from "../../../../ffi/sockets/socket.ts";
import {
  getInt,
  isConnecting,
  setInt,
  setTimeoutOption,
  takeSocketError,
  unacknowledgedBytes,
} from "../../../../ffi/sockets/sockopt.ts";
import { formatEndpoint, parseEndpoint } from "../../../../src/net/ip.ts";
import { descriptorTest } from "../support/descriptors.ts";
import { addressOf, closedPort, dial, listen, poll, readText, sendAll, tcpPair } from "../support/tcp.ts";

/** A UDP socket on the loopback, with a port; -99 (EADDRNOTAVAIL) or -97 (EAFNOSUPPORT) where IPv6 is off. */
function udpSocket(endpoint = "127.0.0.1:0"): number {
  const address = makeSockaddr();
  writeSockaddr(address, parseEndpoint(endpoint)!);
  const fd = openSocket(address[0], SOCK_DGRAM);
  const bound = fd < 0 ? fd : bindSocket(fd, address);
  if (bound === 0) return fd;
  closeFd(fd);
  return bound;
}

descriptorTest("acceptSocket() tells the peer; localAddress() and peerAddress() agree on both ends", () => {
  const listener = listen();
  const dialled = dial(addressOf(listener));
  const peer = makeSockaddr();
  const accepted = poll(() => acceptSocket(listener, peer));
  assert.ok(accepted >= 0);
  assert.ok(sameSockaddr(peer, addressOf(dialled)));
  assert.ok(sameSockaddr(addressOf(accepted), addressOf(listener)));
  const far = makeSockaddr();
  assert.equal(peerAddress(dialled, far), 0);
  assert.ok(sameSockaddr(far, addressOf(accepted)));
  assert.equal(acceptSocket(listener, peer), -EAGAIN);
  for (const fd of [listener, dialled, accepted]) closeFd(fd);
});

descriptorTest("addresses of IPv6 sockets go both ways", () => {
  const fd = openSocket(AF_INET6, SOCK_STREAM);
  if (fd < 0) return;
  const address = makeSockaddr();
  writeSockaddr(address, parseEndpoint("[::1]:0")!);
  const bound = bindSocket(fd, address);
  if (bound === 0) {
    assert.equal(listenSocket(fd, 1), 0);
    assert.equal(localAddress(fd, address), 0);
    assert.match(formatEndpoint(readSockaddr(address)), /^\[::1\]:[1-9]\d*$/);
  } else assert.equal(bound, -99, "IPv6 is off here: EADDRNOTAVAIL");
  closeFd(fd);
});

descriptorTest("receive() and send() never touch memory beyond the buffer", () => {
  const [a, b] = tcpPair();
  sendAll(a, "0123456789");
  const memory = new Uint8Array(16).fill(0xee);
  assert.equal(poll(() => receive(b, memory.subarray(0, 4), 4096)), 4);
  assert.deepEqual([...memory.subarray(4)], new Array(12).fill(0xee));
  assert.equal(readText(b, 6).text, "456789");
  assert.equal(send(a, memory.subarray(0, 4), 4096), 4);
  assert.equal(readText(b, 4).text, "0123");
  closeFd(a);
  closeFd(b);
});

descriptorTest("sendTo() and receiveFrom() carry a datagram, an empty one too, and tell its sender", () => {
  const [a, b] = [udpSocket(), udpSocket()];
  const from = makeSockaddr();
  const buffer = new Uint8Array(4);
  assert.equal(receiveFrom(b, buffer, from), -EAGAIN);
  assert.equal(sendTo(a, new TextEncoder().encode("abc"), addressOf(b)), 3);
  assert.equal(poll(() => receiveFrom(b, buffer, from)), 3);
  assert.equal(new TextDecoder().decode(buffer.subarray(0, 3)), "abc");
  assert.ok(sameSockaddr(from, addressOf(a)));
  from.fill(0);
  assert.equal(sendTo(a, new Uint8Array(0), addressOf(b)), 0);
  assert.equal(poll(() => receiveFrom(b, buffer, from)), 0);
  assert.ok(sameSockaddr(from, addressOf(a)));
  // A longer one is cut and never goes beyond the buffer.
  const memory = new Uint8Array(16).fill(0xee);
  assert.equal(sendTo(a, new Uint8Array(10).fill(1), addressOf(b)), 10);
  assert.equal(poll(() => receiveFrom(b, memory.subarray(0, 4), from)), 4);
  assert.deepEqual([...memory.subarray(4)], new Array(12).fill(0xee));
  closeFd(a);
  closeFd(b);
});

descriptorTest("receiveFrom() has room for an IPv6 sender after an IPv4 one", () => {
  const [a, b, short] = [udpSocket("[::1]:0"), udpSocket("[::1]:0"), udpSocket()];
  if (a >= 0) {
    const from = makeSockaddr();
    assert.equal(sendTo(a, new Uint8Array(1), addressOf(b)), 1);
    const sender = addressOf(a);
    addressOf(short);
    assert.equal(poll(() => receiveFrom(b, new Uint8Array(1), from)), 1);
    assert.deepEqual(from, sender);
  } else assert.ok(a === -99 || a === -97);
  for (const fd of [a, b, short]) if (fd >= 0) closeFd(fd);
});

descriptorTest("receive() answers -EAGAIN and does not block, also on a blocking socket", () => {
  const fd = openSocket(2, SOCK_DGRAM, { blocking: true });
  assert.equal(receive(fd, new Uint8Array(8), 8), -EAGAIN);
  assert.equal(setTimeoutOption(fd, SO_RCVTIMEO, 50), 0);
  const start = performance.now();
  assert.equal(receiveWithFlags(fd, new Uint8Array(8), 0), -EAGAIN);
  assert.ok(performance.now() - start >= 45);
  closeFd(fd);
});

descriptorTest("takeSocketError() tells once why a dial failed", async () => {
  const fd = openSocket(2, SOCK_STREAM);
  connectSocket(fd, closedPort());
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(takeSocketError(fd), 111);
  assert.equal(takeSocketError(fd), 0);
  closeFd(fd);
});

descriptorTest("setInt() sets what getInt() reads", () => {
  const fd = openSocket(2, SOCK_STREAM);
  assert.equal(getInt(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
  assert.equal(setInt(fd, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
  assert.equal(getInt(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
  assert.equal(getInt(-1, SOL_SOCKET, SO_KEEPALIVE), -9);
  closeFd(fd);
});

descriptorTest("unacknowledgedBytes() counts until the peer's kernel has it", async () => {
  const [a, b] = tcpPair();
  assert.equal(unacknowledgedBytes(a), 0);
  sendAll(a, "x".repeat(1000));
  for (let i = 0; unacknowledgedBytes(a) !== 0; i++) {
    assert.ok(i < 100);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  closeFd(a);
  assert.equal(unacknowledgedBytes(a), -9);
  closeFd(b);
});

descriptorTest("spliceBytes() moves bytes through a pipe, tells the end, and never waits", () => {
  const [a, b] = tcpPair();
  const [c, d] = tcpPair();
  const ends = new Int32Array(2);
  assert.equal(openPipe(ends), 0);
  assert.equal(spliceBytes(b, ends[1], 65536, 3), -EAGAIN);
  sendAll(a, "through the pipe");
  assert.equal(poll(() => spliceBytes(b, ends[1], 65536, 3)), 16);
  assert.equal(spliceBytes(ends[0], c, 16, 3), 16);
  assert.equal(readText(d, 16).text, "through the pipe");
  closeFd(a);
  assert.equal(poll(() => spliceBytes(b, ends[1], 65536, 3)), 0);
  assert.equal(setPipeSize(ends[1], 131072), 131072);
  for (const fd of [b, c, d, ends[0], ends[1]]) closeFd(fd);
});

descriptorTest("isConnecting() is true until connect(2) is over, well or badly", () => {
  assert.ok(!isConnecting(-1));
  const listener = listen({ backlog: 0 });
  const to = addressOf(listener);
  const first = dial(to);
  poll(() => isConnecting(first) ? -EAGAIN : 0);
  // The kernel lets one connection more wait than it was asked to; the SYN of a third one is dropped.
  const rest = [1, 2, 3].map(() => {
    const fd = openSocket(to[0], SOCK_STREAM);
    connectSocket(fd, to);
    return fd;
  });
  assert.ok(isConnecting(rest[2]));
  const refused = openSocket(to[0], SOCK_STREAM);
  connectSocket(refused, closedPort());
  assert.ok(!isConnecting(refused));
  for (const fd of [listener, first, ...rest, refused]) closeFd(fd);
});
