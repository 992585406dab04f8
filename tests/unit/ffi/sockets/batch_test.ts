/** Many datagrams with one call, both ways, over loopback. */
import assert from "node:assert/strict";
import {
  AF_INET,
  EAGAIN,
  IP_RECVORIGDSTADDR,
  IP_RECVTOS,
  IPV6_RECVORIGDSTADDR,
  IPV6_RECVTCLASS,
  SOCK_DGRAM,
  SOL_IP,
  SOL_IPV6,
  SOL_UDP,
  UDP_GRO,
} from "../../../../ffi/consts.ts";
import { refusePackets } from "../../../../ffi/sockets/filter.ts";
import { ReceiveBatch } from "../../../../ffi/sockets/receive_batch.ts";
import { SendBatch } from "../../../../ffi/sockets/send_batch.ts";
import { makeSockaddr, readSockaddr, writeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { bindSocket, closeFd, localAddress, openSocket } from "../../../../ffi/sockets/socket.ts";
import { setInt } from "../../../../ffi/sockets/sockopt.ts";
import { check } from "../../../../src/net/error.ts";
import { formatEndpoint, parseEndpoint } from "../../../../src/net/ip.ts";
import { descriptorTest } from "../support/descriptors.ts";
import { findGap } from "../support/emulator.ts";

const LOOPBACK = { 4: "127.0.0.1:0", 6: "[::1]:0" } as const;

/** A bound socket, and its address as 32-bit words. */
function bound(text: string): { fd: number; words: Int32Array; name: string } {
  const address = makeSockaddr();
  writeSockaddr(address, parseEndpoint(text)!);
  const fd = check(openSocket(address[0], SOCK_DGRAM), "socket");
  check(bindSocket(fd, address), "bind");
  check(localAddress(fd, address), "getsockname");
  return { fd, words: new Int32Array(address.buffer), name: formatEndpoint(readSockaddr(address)) };
}

function nameAt(batch: ReceiveBatch, at: number): string {
  return formatEndpoint(readSockaddr(new Uint8Array(batch.words.buffer, at * 4, 28)));
}

function dataOf(batch: ReceiveBatch, i: number): string {
  const at = batch.dataOffset(i);
  return new TextDecoder().decode(batch.bytes.subarray(at, at + batch.length(i)));
}

/** Puts text where the i-th datagram of a batch would be, and gives its length. */
function write(batch: ReceiveBatch, i: number, text: string): number {
  const bytes = new TextEncoder().encode(text);
  batch.bytes.set(bytes, batch.dataOffset(i));
  return bytes.length;
}

/** Receives until so many datagrams are there. */
function receiveAll(batch: ReceiveBatch, fd: number, wanted: number): number {
  const end = performance.now() + 2000;
  let count = 0;
  while (count < wanted && performance.now() < end) {
    const got = batch.receive(fd, count);
    if (got > 0) count += got;
    else assert.equal(got, -EAGAIN);
  }
  return count;
}

/** Can a socket be told to say where datagrams were sent to? */
function tellDestinations(family: 4 | 6): number {
  const { fd } = bound(LOOPBACK[family]);
  const told = family === 4
    ? setInt(fd, SOL_IP, IP_RECVORIGDSTADDR, 1)
    : setInt(fd, SOL_IPV6, IPV6_RECVORIGDSTADDR, 1);
  closeFd(fd);
  return told;
}

for (const family of [4, 6] as const) {
  descriptorTest(
    `SendBatch and ReceiveBatch carry datagrams with names, lengths and TOS, IPv${family}`,
    () => {
      const [a, b] = [bound(LOOPBACK[family]), bound(LOOPBACK[family])];
      if (family === 4) {
        check(setInt(b.fd, SOL_IP, IP_RECVTOS, 1), "IP_RECVTOS");
        check(setInt(b.fd, SOL_IP, IP_RECVORIGDSTADDR, 1), "IP_RECVORIGDSTADDR");
      } else {
        check(setInt(b.fd, SOL_IPV6, IPV6_RECVTCLASS, 1), "IPV6_RECVTCLASS");
        check(setInt(b.fd, SOL_IPV6, IPV6_RECVORIGDSTADDR, 1), "IPV6_RECVORIGDSTADDR");
      }
      const batch = new ReceiveBatch(8);
      const send = new SendBatch(4, 8);
      for (const [k, text] of ["first", "", "in two pieces"].entries()) {
        const length = write(batch, k, text);
        send.begin(b.words, 0);
        if (k === 0) send.setTos(0xb9, family === 4);
        const half = k === 2 ? 6 : length;
        send.add(batch.dataLow(k), batch.high, half);
        if (half < length) send.add((batch.dataLow(k) + half) | 0, batch.high, length - half);
      }
      assert.equal(send.send(a.fd, 0), 3);
      assert.equal(receiveAll(batch, b.fd, 3), 3);
      assert.deepEqual([0, 1, 2].map((i) => dataOf(batch, i)), ["first", "", "in two pieces"]);
      for (const i of [0, 1, 2]) {
        batch.inspect(i);
        assert.equal(nameAt(batch, batch.name(i)), a.name);
        assert.equal(nameAt(batch, batch.destination), b.name);
        assert.equal(batch.tos, i === 0 ? 0xb9 : 0);
        assert.equal(batch.segmentSize, 0);
      }
      // A second round into places that were used, and into others.
      send.clear();
      for (const k of [0, 1, 2, 3]) {
        send.begin(b.words, 0);
        send.add(batch.dataLow(7), batch.high, write(batch, 7, `${k}`));
      }
      assert.equal(send.send(a.fd, 1), 3, "from the second message on");
      assert.equal(receiveAll(batch, b.fd, 3), 3);
      assert.equal(batch.length(2), 1);
      batch.inspect(2);
      assert.equal(nameAt(batch, batch.destination), b.name);
      closeFd(a.fd);
      closeFd(b.fd);
    },
    findGap("IP_RECVORIGDSTADDR or IPV6_RECVORIGDSTADDR", () => tellDestinations(family)),
  );

  descriptorTest(
    `SendBatch.cutInto() makes datagrams of a train, which UDP_GRO gives as one, IPv${family}`,
    () => {
      const [a, b] = [bound(LOOPBACK[family]), bound(LOOPBACK[family])];
      const batch = new ReceiveBatch(8);
      const send = new SendBatch(1, 3);
      const train = () => {
        send.clear();
        send.begin(b.words, 0);
        for (const [i, text] of ["aaaa", "bbbb", "cc"].entries()) {
          send.add(batch.dataLow(i), batch.high, write(batch, i, text));
        }
        send.cutInto(4);
        assert.equal(send.send(a.fd, 0), 1);
      };
      train();
      assert.equal(receiveAll(batch, b.fd, 3), 3);
      assert.deepEqual([0, 1, 2].map((i) => dataOf(batch, i)), ["aaaa", "bbbb", "cc"]);
      check(setInt(b.fd, SOL_UDP, UDP_GRO, 1), "UDP_GRO");
      train();
      assert.equal(receiveAll(batch, b.fd, 1), 1);
      assert.equal(dataOf(batch, 0), "aaaabbbbcc");
      batch.inspect(0);
      assert.equal(batch.segmentSize, 4);
      closeFd(a.fd);
      closeFd(b.fd);
    },
  );
}

descriptorTest("SendBatch.sendFrom() chooses the source address, the port stays the socket's", () => {
  const address = makeSockaddr();
  address[0] = AF_INET;
  const fd = check(openSocket(AF_INET, SOCK_DGRAM), "socket");
  check(bindSocket(fd, address), "bind");
  const b = bound(LOOPBACK[4]);
  const batch = new ReceiveBatch(2);
  const send = new SendBatch(1, 1);
  writeSockaddr(address, parseEndpoint("127.9.8.7:1")!);
  send.begin(b.words, 0);
  send.sendFrom(new Int32Array(address.buffer), 0);
  send.setTos(4, true);
  send.add(batch.dataLow(0), batch.high, write(batch, 0, "x"));
  assert.equal(send.send(fd, 0), 1);
  assert.equal(receiveAll(batch, b.fd, 1), 1);
  assert.match(nameAt(batch, batch.name(0)), /^127\.9\.8\.7:/);
  closeFd(fd);
  closeFd(b.fd);
});

descriptorTest("ReceiveBatch.receive() takes the longest datagram whole", () => {
  const [a, b] = [bound(LOOPBACK[6]), bound(LOOPBACK[6])];
  const batch = new ReceiveBatch(2);
  batch.bytes.fill(0x61, batch.dataOffset(1), batch.dataOffset(1) + 65_487);
  const send = new SendBatch(1, 1);
  send.begin(b.words, 0);
  send.add(batch.dataLow(1), batch.high, 65_487);
  assert.equal(send.send(a.fd, 0), 1);
  assert.equal(receiveAll(batch, b.fd, 1), 1);
  assert.equal(batch.length(0), 65_487);
  assert.equal(batch.bytes[batch.dataOffset(0) + 65_486], 0x61);
  closeFd(a.fd);
  closeFd(b.fd);
});

descriptorTest("refusePackets() keeps a socket's queue empty", () => {
  const [a, b] = [bound(LOOPBACK[4]), bound(LOOPBACK[4])];
  check(refusePackets(b.fd), "SO_ATTACH_FILTER");
  const batch = new ReceiveBatch(1);
  const send = new SendBatch(1, 1);
  send.begin(b.words, 0);
  send.add(batch.dataLow(0), batch.high, 1);
  assert.equal(send.send(a.fd, 0), 1);
  const end = performance.now() + 50;
  while (performance.now() < end) assert.equal(batch.receive(b.fd, 0), -EAGAIN);
  closeFd(a.fd);
  closeFd(b.fd);
});
