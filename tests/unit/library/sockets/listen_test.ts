import assert from "node:assert/strict";
import { closeFd } from "../../../../ffi/sockets/socket.ts";
import { dialTransparent } from "../../../../src/library/sockets/dial.ts";
import { listenTransparent, type TransparentListener } from "../../../../src/library/sockets/listen.ts";
import type { ListenOptions } from "../../../../src/library/sockets/listeners.ts";
import { OperationError } from "../../../../src/net/error.ts";
import { formatEndpoint, parseEndpoint, parseIp } from "../../../../src/net/ip.ts";
import { print } from "../../../laboratory/machine/print.ts";
import { descriptorTest } from "../../ffi/support/descriptors.ts";
import { addressOf, bytes, listen } from "../../ffi/support/tcp.ts";
import { readSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { settle } from "./support.ts";

/** A test with transparent sockets; without the privilege it checks the refusal. */
function transparentTest(name: string, run: () => Promise<void>): void {
  descriptorTest(name, async () => {
    try {
      listenTransparent({ port: 0 }).close();
    } catch (error) {
      assert.ok(error instanceof OperationError && error.code === "EPERM");
      assert.match(error.message, /need root, or CAP_NET_ADMIN/);
      return print(`not run: ${name}: ${error.message}`);
    }
    await run();
  });
}

const open = (options: Partial<ListenOptions> = {}): TransparentListener =>
  listenTransparent({ port: 0, ...options });
const at = (listener: TransparentListener, ip = "127.0.0.1") => ({
  address: parseIp(ip)!,
  port: listener.port,
});

transparentTest(
  "listenTransparent() tells both ends of connections from foreign addresses, of both families",
  async () => {
    using listener = open();
    const dials = [
      dialTransparent({ to: at(listener), from: parseEndpoint("127.0.0.77:0")! }),
      dialTransparent({ to: at(listener, "::1"), from: parseEndpoint("[::1]:0")! }),
    ];
    for (const dialled of await Promise.all(dials)) {
      using dialler = dialled;
      using accepted = (await listener.accept())!;
      const [mine, theirs] = [dialler, accepted].map(({ client, destination }) =>
        `${formatEndpoint(client)} ${formatEndpoint(destination)}`
      );
      assert.equal(mine, theirs);
      assert.match(mine, /^(127\.0\.0\.77:\d+ 127\.0\.0\.1|\[::1\]:\d+ \[::1\]):\d+$/);
      await dialler.writable.getWriter().write(bytes("hello"));
      const { value } = await accepted.readable.getReader().read();
      assert.equal(new TextDecoder().decode(value), "hello");
    }
  },
);

transparentTest("the loop over a listener waits for connections, and ends when listening ends", async () => {
  const controller = new AbortController();
  const listener = open({ signal: controller.signal });
  const clients: string[] = [];
  const loop = (async () => {
    for await (const connection of listener) {
      using accepted = connection;
      clients.push(formatEndpoint(accepted.client).replace(/:\d+$/, ""));
    }
  })();
  for (const from of ["127.0.0.5:0", "127.0.0.6:0", "127.0.0.7:0"]) {
    await settle(20);
    using dialled = await dialTransparent({ to: at(listener), from: parseEndpoint(from)! });
    await dialled.readable.getReader().read();
  }
  controller.abort();
  await loop;
  assert.deepEqual(clients, ["127.0.0.5", "127.0.0.6", "127.0.0.7"]);
  assert.equal(await listener.accept(), undefined);
  listener.close();
  open({ signal: controller.signal, port: listener.port }).close(); // the port is free again
});

transparentTest("listenTransparent() throws where the port is taken, and leaves nothing open", () => {
  using listener = open();
  assert.throws(() => open({ port: listener.port }), /Cannot listen on "127\.0\.0\.1:\d+": EADDRINUSE/);
  assert.throws(
    () => open({ addresses: [parseIp("::1")!], port: listener.port }),
    /"\[::1\]:\d+": EADDRINUSE/,
  );
  return Promise.resolve();
});

transparentTest("dialTransparent() throws what the kernel says, and the reason of its signal", async () => {
  const fd = listen();
  const to = readSockaddr(addressOf(fd));
  closeFd(fd);
  const from = parseEndpoint("127.0.0.9:0")!;
  await assert.rejects(
    dialTransparent({ to, from }),
    /Cannot dial "127\.0\.0\.1:\d+ from 127\.0\.0\.9:0": ECONNREFUSED/,
  );
  await assert.rejects(dialTransparent({ to, from: parseEndpoint("[::1]:0")! }), OperationError);
  const reason = new Error("no longer wanted");
  await assert.rejects(dialTransparent({ to, from, signal: AbortSignal.abort(reason) }), reason);
  const controller = new AbortController();
  const dialling = dialTransparent({ to: parseEndpoint("127.0.0.1:9")!, from, signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(dialling, reason);
});
