import assert from "node:assert/strict";
import { AF_INET, SOCK_DGRAM } from "../../../../ffi/consts.ts";
import { readSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { bindSocket, closeFd, openSocket, receiveFrom, sendTo } from "../../../../ffi/sockets/socket.ts";
import { dialTransparentUdp } from "../../../../src/library/sockets/dial_udp.ts";
import { listenTransparentUdp } from "../../../../src/library/sockets/listen_udp.ts";
import { OperationError } from "../../../../src/net/error.ts";
import { formatEndpoint, parseEndpoint, parseIp } from "../../../../src/net/ip.ts";
import { print } from "../../../laboratory/machine/print.ts";
import { descriptorTest } from "../../ffi/support/descriptors.ts";
import { address, addressOf, bytes, poll } from "../../ffi/support/tcp.ts";
import { settle } from "./support.ts";

/** A test with transparent sockets; without the privilege it checks the refusal. */
function transparentTest(name: string, run: () => Promise<void>): void {
  descriptorTest(name, async () => {
    try {
      listenTransparentUdp({ port: 0 }).close();
    } catch (error) {
      assert.ok(error instanceof OperationError && error.code === "EPERM");
      return print(`not run: ${name}: ${error.message}`);
    }
    await run();
  });
}

const text = (data: Uint8Array | undefined) => new TextDecoder().decode(data);

transparentTest(
  "listenTransparentUdp() tells both ends of datagrams, and replies, of both families",
  async () => {
    using listener = listenTransparentUdp({ port: 0 });
    for (const [from, ip] of [["127.0.0.77:0", "127.0.0.1"], ["[::1]:0", "::1"]] as const) {
      const to = { address: parseIp(ip)!, port: listener.port };
      using client = dialTransparentUdp({ to, from: parseEndpoint(from)! });
      const waiting = listener.receive();
      await settle(20);
      for (const word of ["one", "", "three"]) await client.send(bytes(word));
      const first = (await waiting)!;
      const rest = [await listener.receive(), await listener.receive()];
      assert.deepEqual([first, ...rest].map((datagram) => text(datagram?.data)), ["one", "", "three"]);
      assert.equal(formatEndpoint(first.client), formatEndpoint(client.client));
      assert.equal(formatEndpoint(first.destination), formatEndpoint(to));
      for (const answer of ["yes", "", "odd"]) {
        await first.reply(bytes(answer));
        assert.equal(text(await client.receive({ signal: AbortSignal.timeout(3000) })), answer);
      }
      await assert.rejects(first.reply(new Uint8Array(65528)), /Cannot answer ".* from .*": EMSGSIZE/);
    }
  },
);

transparentTest("the loop over a UDP listener ends when listening ends", async () => {
  const controller = new AbortController();
  const listener = listenTransparentUdp({ port: 0, signal: controller.signal });
  const loop = Array.fromAsync(listener, ({ data }) => text(data));
  await settle(20);
  using client = dialTransparentUdp({
    to: { address: parseIp("127.0.0.1")!, port: listener.port },
    from: parseEndpoint("127.0.0.5:0")!,
  });
  await client.send(bytes("hello"));
  await settle(20);
  controller.abort();
  assert.deepEqual(await loop, ["hello"]);
  assert.equal(await listener.receive(), undefined);
});

transparentTest(
  "dialTransparentUdp() waits for answers, and throws errors, its signal's reason, and when it is closed",
  async () => {
    const fd = openSocket(AF_INET, SOCK_DGRAM);
    bindSocket(fd, address("127.0.0.1", 0));
    const to = readSockaddr(addressOf(fd));
    const socket = dialTransparentUdp({ to, from: parseEndpoint("127.0.0.9:0")! });
    await socket.send(bytes("question"));
    const room = new Uint8Array(100);
    const peer = addressOf(fd);
    assert.equal(poll(() => receiveFrom(fd, room, peer)), 8);
    const waiting = socket.receive();
    await settle(20);
    sendTo(fd, bytes("answer"), peer);
    assert.equal(text(await waiting), "answer");
    await assert.rejects(socket.receive({ signal: AbortSignal.timeout(20) }), { name: "TimeoutError" });
    closeFd(fd);
    await socket.send(bytes("nobody is there"));
    await assert.rejects(
      socket.receive({ signal: AbortSignal.timeout(3000) }),
      /Cannot receive from ".*": ECONNREFUSED/,
    );
    const last = socket.receive();
    socket.close();
    await assert.rejects(last, /the socket is closed$/);
    await assert.rejects(socket.send(bytes("x")), /the socket is closed$/);
  },
);
