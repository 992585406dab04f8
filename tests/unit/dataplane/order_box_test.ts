import assert from "node:assert/strict";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { openEventFd, signalEventFd } from "../../../ffi/epoll.ts";
import { OrderBox } from "../../../src/dataplane/order_box.ts";
import type { Order } from "../../../src/dataplane/orders.ts";
import { OrderChannel } from "../../../src/dataplane/seats/order_channel.ts";
import { check } from "../../../src/net/error.ts";
import { descriptorTest } from "../ffi/support/descriptors.ts";
import { SessionBench } from "./support/session_bench.ts";

descriptorTest("OrderBox obeys all orders that have come, in their order, when it is woken", () => {
  using bench = new SessionBench();
  const wakeFd = check(openEventFd(), "eventfd");
  const channel = new OrderChannel(wakeFd);
  const obeyed: Order[] = [];
  const box = new OrderBox(bench.context, {
    port: channel.port,
    wakeFd,
    obey: (order) => void obeyed.push(order),
  });
  bench.loop.add(box);
  check(box.start(), "epoll_ctl");
  assert.equal(bench.turn(), 0);
  channel.give({ kind: "close", sessions: [] });
  channel.give({ kind: "drain" });
  assert.equal(bench.turn(), 1);
  assert.deepEqual(obeyed.splice(0), [{ kind: "close", sessions: [] }, { kind: "drain" }]);
  signalEventFd(wakeFd); // the watchdog
  assert.equal(bench.turn(), 1);
  assert.equal(bench.turn(), 0, "it does not stay awake");
  assert.deepEqual(obeyed, []);
  channel.close();
  closeFd(wakeFd);
});
