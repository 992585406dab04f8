import assert from "node:assert/strict";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { openEventFd, signalEventFd } from "../../../ffi/epoll.ts";
import { OrderBox } from "../../../src/dataplane/order_box.ts";
import { check } from "../../../src/net/error.ts";
import { descriptorTest } from "../ffi/support/descriptors.ts";
import { SessionBench } from "./support/session_bench.ts";

descriptorTest("OrderBox ends the sleep, and tells how long an order waits", () => {
  using bench = new SessionBench();
  const { shared, index } = bench.context;
  const wakeFd = check(openEventFd(), "eventfd");
  const box = new OrderBox(bench.context, wakeFd);
  bench.loop.add(box);
  check(box.start(), "epoll_ctl");
  assert.equal(bench.turn(), 0);
  assert.equal(box.waits, false);
  for (let i = 0; i < 2; i++) {
    shared.countOrder(index);
    signalEventFd(wakeFd);
  }
  assert.equal(bench.turn(), 1);
  assert.equal(bench.turn(), 0, "it does not stay awake");
  for (const waits of [true, true, false]) {
    assert.equal(box.waits, waits);
    if (waits) box.take();
  }
  signalEventFd(wakeFd); // the watchdog
  assert.equal(bench.turn(), 1);
  assert.equal(box.waits, false);
  closeFd(wakeFd);
});
