import assert from "node:assert/strict";
import { AF_INET, SOCK_DGRAM } from "../../../../ffi/consts.ts";
import { readSockaddr, sameSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import {
  bindSocket,
  closeFd,
  connectSocket,
  openNonBlocking,
  receive,
  send,
} from "../../../../ffi/sockets/socket.ts";
import { takeClient } from "../../../../src/cli/nc/first_client.ts";
import { check } from "../../../../src/net/error.ts";
import { formatEndpoint } from "../../../../src/net/ip.ts";
import { descriptorTest } from "../../ffi/support/descriptors.ts";
import { address, addressOf, bytes, poll } from "../../ffi/support/tcp.ts";

/** A UDP socket at an address; port 0: any. */
function bound(ip: string): number {
  const fd = check(openNonBlocking(AF_INET, SOCK_DGRAM), "socket");
  check(bindSocket(fd, address(ip, 0)), "bind");
  return fd;
}

function portOfSocket(fd: number): number {
  return readSockaddr(addressOf(fd)).port;
}

function say(fd: number, text: string): void {
  assert.equal(send(fd, bytes(text), text.length), text.length);
}

descriptorTest(
  "takeClient() answers from where the client has sent to, and loses none of its early datagrams",
  () => {
    const listener = bound("0.0.0.0");
    const port = portOfSocket(listener);
    const [client, other] = [bound("127.0.0.1"), bound("127.0.0.1")];
    for (const fd of [client, other]) check(connectSocket(fd, address("127.0.0.5", port)), "connect");
    say(client, "one ");
    say(other, "of another");
    say(client, "two ");
    say(client, "three");
    const taken = takeClient(listener);
    assert.equal(new TextDecoder().decode(taken.first), "one two three");
    assert.ok(sameSockaddr(taken.client, addressOf(client)));
    assert.equal(formatEndpoint(readSockaddr(taken.destination)), `127.0.0.5:${port}`);
    // Both are connected, so they take datagrams of each other only.
    say(client, "more");
    const buffer = new Uint8Array(16);
    assert.equal(poll(() => receive(taken.connected, buffer, 16)), 4);
    say(taken.connected, "answer");
    assert.equal(poll(() => receive(client, buffer, 16)), 6);
    for (const fd of [taken.connected, client, other]) closeFd(fd);
  },
);

descriptorTest("takeClient() goes on with the same socket where that has the address already", () => {
  const listener = bound("127.0.0.5");
  const client = bound("127.0.0.1");
  check(connectSocket(client, addressOf(listener)), "connect");
  say(client, "hello");
  const taken = takeClient(listener);
  assert.equal(taken.connected, listener);
  assert.equal(new TextDecoder().decode(taken.first), "hello");
  for (const fd of [listener, client]) closeFd(fd);
});
