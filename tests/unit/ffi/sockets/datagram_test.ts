import assert from "node:assert/strict";
import { AF_INET, EAGAIN, SOCK_DGRAM } from "../../../../ffi/consts.ts";
import { makeSockaddr, sameSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { bindSocket, closeFd, openNonBlocking, receiveFrom, sendTo } from "../../../../ffi/sockets/socket.ts";
import { check } from "../../../../src/net/error.ts";
import { descriptorTest } from "../support/descriptors.ts";
import { address, addressOf, bytes, poll } from "../support/tcp.ts";

descriptorTest("sendTo() and receiveFrom() carry datagrams whole, with their sender", () => {
  const [a, b] = [0, 1].map(() => check(openNonBlocking(AF_INET, SOCK_DGRAM), "socket"));
  for (const fd of [a, b]) check(bindSocket(fd, address("127.0.0.1", 0)), "bind");
  const buffer = new Uint8Array(16);
  const sender = makeSockaddr();
  assert.equal(receiveFrom(b, buffer, sender), -EAGAIN);
  for (const text of ["one", "", "three"]) assert.equal(sendTo(a, bytes(text), addressOf(b)), text.length);
  for (const text of ["one", "", "three"]) {
    const length = poll(() => receiveFrom(b, buffer, sender));
    assert.equal(new TextDecoder().decode(buffer.subarray(0, length)), text);
    assert.ok(sameSockaddr(sender, addressOf(a)));
  }
  closeFd(a);
  closeFd(b);
});
