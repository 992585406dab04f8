/** Over real unix datagram sockets, as systemd has them. */
import assert from "node:assert/strict";
import { openNotifier } from "../../../../src/daemon/manager/notify.ts";
import { listDescriptors } from "../../ffi/support/descriptors.ts";
import { ServiceManagerSocket, socketPath } from "../support/manager.ts";

Deno.test("Notifier.send() reaches a socket at a path, all assignments as one datagram", () => {
  using directory = socketPath();
  using manager = new ServiceManagerSocket(directory.path);
  const notifier = openNotifier(directory.path);
  assert.equal(notifier.enabled, true);
  notifier.send("READY=1", "STATUS=two\nlines");
  notifier.send("WATCHDOG=1");
  assert.deepEqual(manager.all(), ["READY=1\nSTATUS=two lines", "WATCHDOG=1"]);
  notifier.close();
});

Deno.test("Notifier.send() reaches an abstract socket", () => {
  const name = `@tproxy-notify-${crypto.randomUUID()}`;
  using manager = new ServiceManagerSocket(name);
  const notifier = openNotifier(name);
  notifier.send("READY=1");
  assert.deepEqual(manager.all(), ["READY=1"]);
  notifier.close();
});

Deno.test("Notifier.send() keeps for later what a busy service manager does not take, in order", async () => {
  using directory = socketPath();
  using manager = new ServiceManagerSocket(directory.path);
  const notifier = openNotifier(directory.path);
  // The kernel's queue (net.unix.max_dgram_qlen) is full long before.
  const queue = Number(Deno.readTextFileSync("/proc/sys/net/unix/max_dgram_qlen")) + 1;
  for (let i = 0; i < queue; i++) notifier.send(`STATUS=${i}`);
  notifier.send("READY=1");
  const first = manager.all();
  assert.ok(!first.includes("READY=1"), "the queue was not full: this test shows nothing");
  await new Promise((resolve) => setTimeout(resolve, 250));
  assert.equal([...first, ...manager.all()].at(-1), "READY=1");
  notifier.close();
});

Deno.test("openNotifier() does nothing where nobody listens, and leaves no descriptor", () => {
  const before = listDescriptors().length;
  for (const name of [undefined, "", "relative", "@" + "x".repeat(120), "/nowhere/at/all"]) {
    const notifier = openNotifier(name);
    notifier.send("READY=1");
    notifier.close();
  }
  assert.equal(listDescriptors().length, before);
});
