/** The flow's own server as an upstream: dials, and what is left of them. */
import assert from "node:assert/strict";
import { ECANCELED, ECONNREFUSED, ETIMEDOUT } from "../../../../ffi/consts.ts";
import { makeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { closeFd } from "../../../../ffi/sockets/socket.ts";
import { UP } from "../../../../src/dataplane/upstream/health.ts";
import { OwnWayUpstream } from "../../../../src/dataplane/upstream/own_way.ts";
import type { Call } from "../../../../src/dataplane/upstream/upstream.ts";
import { errnoNumber } from "../../../../src/net/errno.ts";
import { descriptorTest } from "../../ffi/support/descriptors.ts";
import { addressOf, listen } from "../../ffi/support/tcp.ts";
import { SessionBench } from "../support/session_bench.ts";

function upstream({ context }: SessionBench, device: string | null): OwnWayUpstream {
  const protocol = { type: "direct", interface: device, mark: null, source: "router" } as const;
  return new OwnWayUpstream(context, { name: "lte", place: 0, fall: 1, addresses: [], protocol }, null, 1);
}

function callTo(destination: Call["destination"]): Call {
  return {
    client: makeSockaddr(),
    destination,
    name: null,
    answer: null,
    hasSent: false,
    attempt: 1,
    spentTicks: 0,
    choice: -1,
    member: 0,
    tried: 0,
    greeting: null,
  };
}

descriptorTest("OwnWayUpstream dials once, and anew what was not wanted any more", () => {
  using bench = new SessionBench();
  const lte = upstream(bench, null);
  const listener = listen();
  const call = callTo(addressOf(listener));
  const { health } = bench.context;
  const dial = () => {
    const fd = lte.dial(call);
    if (fd >= 0) closeFd(fd);
    return fd;
  };
  assert.ok(dial() >= 0);
  assert.equal(health.connections(0), 1);
  lte.settled(call, ECANCELED);
  assert.equal(health.connections(0), 0);
  assert.ok(dial() >= 0, "anew");
  lte.settled(call, ETIMEDOUT);
  assert.equal(dial(), -ECONNREFUSED, "there is one address");
  assert.deepEqual([health.connections(0), health.state(0)], [0, UP]);
  closeFd(listener);
});

descriptorTest("OwnWayUpstream without its interface fails at once, and is not down for that", () => {
  using bench = new SessionBench({ logLevel: "warn" });
  const lte = upstream(bench, "none0");
  const listener = listen();
  for (let i = 0; i < 3; i++) assert.equal(lte.dial(callTo(addressOf(listener))), -errnoNumber("ENODEV"));
  assert.deepEqual([bench.context.health.connections(0), bench.context.health.state(0)], [0, UP]);
  assert.equal(bench.lines.filter((line) => line.includes("ENODEV")).length, 1);
  closeFd(listener);
});
