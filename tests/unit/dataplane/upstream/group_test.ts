/** A group of upstream proxies on sockets, which the test plays: who is tried, blamed, and counted. */
import assert from "node:assert/strict";
import type { Strategy } from "../../../../src/config/upstreams/types.ts";
import { makeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { acceptSocket, closeFd, receive } from "../../../../ffi/sockets/socket.ts";
import { EAGAIN } from "../../../../ffi/consts.ts";
import { GroupUpstream } from "../../../../src/dataplane/upstream/group.ts";
import { DOWN, REFUSED, UP } from "../../../../src/dataplane/upstream/health.ts";
import { ProxiedUpstream } from "../../../../src/dataplane/upstream/proxied.ts";
import type { UpstreamProtocol } from "../../../../src/dataplane/upstream/settings.ts";
import type { Sockaddr } from "../../../../src/dataplane/upstream/upstream.ts";
import { descriptorTest } from "../../ffi/support/descriptors.ts";
import { accept, addressOf, closedPort, listen, poll, sendAll, tcpPair } from "../../ffi/support/tcp.ts";
import { type BenchOptions, SessionBench } from "../support/session_bench.ts";
import { sockaddr } from "./greetings/talk.ts";

const CONNECT: UpstreamProtocol = { type: "http-connect", credentials: null, sends: "address" };
const SOCKS5: UpstreamProtocol = { type: "socks5", credentials: null, sends: "address" };
const FALL = 3;

/** Flows through a group of proxies at these addresses; each has the place of its number. */
class Flows implements Disposable {
  readonly bench: SessionBench;
  readonly #open: number[] = [];

  constructor(
    members: readonly (readonly Sockaddr[])[],
    { protocol = CONNECT, ...options }: BenchOptions & { readonly protocol?: UpstreamProtocol } = {},
    strategy: Strategy = "failover",
  ) {
    this.bench = new SessionBench({ logLevel: "warn", ...options }, (context) =>
      new GroupUpstream(
        context,
        members.map((addresses, place) =>
          new ProxiedUpstream(
            context,
            { name: `u${place}`, place, fall: FALL, addresses, protocol },
            null,
            place + 1,
          )
        ),
        strategy,
      ));
  }

  /** Another client's end. */
  open(): number {
    const [proxySide, client] = tcpPair();
    this.bench.shared.addLive(1);
    const session = this.bench.sessions.begin(proxySide, sockaddr("192.0.2.1:40000"));
    session.destination.set(sockaddr("198.51.100.7:443"));
    this.bench.sessions.dial(session);
    this.bench.settle();
    return this.keep(client);
  }

  /** A proxy's end, which it answers so. */
  answer(listener: number, text: string): number {
    const fd = this.keep(accept(listener));
    this.bench.settle();
    sendAll(fd, text);
    this.bench.settle();
    return fd;
  }

  keep(fd: number): number {
    this.#open.push(fd);
    return fd;
  }

  health(count: number): [number[], number[]] {
    const { health } = this.bench.context;
    const places = Array.from({ length: count }, (_, place) => place);
    return [places.map((place) => health.state(place)), places.map((place) => health.connections(place))];
  }

  [Symbol.dispose](): void {
    this.bench[Symbol.dispose]();
    for (const fd of this.#open) closeFd(fd);
  }
}

/** The number of bytes that a client hears. */
function hear(client: number): number {
  const buffer = new Uint8Array(64);
  return poll(() => receive(client, buffer, buffer.length));
}

function wasDialled(listener: number): boolean {
  return acceptSocket(listener, makeSockaddr()) !== -EAGAIN;
}

const OK = "HTTP/1.1 200 OK\r\n\r\n";

descriptorTest("Another member carries a flow whose first one is dead, which is down after three", () => {
  const listener = listen();
  using flows = new Flows([[closedPort(), closedPort()], [addressOf(listener)]]);
  flows.keep(listener);
  for (const state of [UP, UP, DOWN, DOWN]) {
    const client = flows.open();
    flows.answer(listener, `${OK}hello`);
    assert.equal(hear(client), 5);
    assert.deepEqual(flows.health(2)[0], [state, UP], "two dead addresses are one fault");
  }
  assert.deepEqual(flows.health(2)[1], [0, 4]);
  flows.bench.sessions.close();
  assert.deepEqual(flows.health(2)[1], [0, 0], "all have ended");
});

descriptorTest("A destination that refuses ends the flow, and is no fault of any member", () => {
  const [first, second] = [listen(), listen()];
  using flows = new Flows([[addressOf(first)], [addressOf(second)]]);
  for (const fd of [first, second]) flows.keep(fd);
  for (let i = 0; i < FALL + 1; i++) {
    flows.open();
    flows.answer(first, "HTTP/1.1 503 Service Unavailable\r\n\r\n");
  }
  assert.deepEqual(flows.health(2), [[UP, UP], [0, 0]]);
  assert.ok(!wasDialled(second), "the other was dialled");
});

descriptorTest(
  "A member that refuses our credentials is left out at once, the flow goes on with another",
  () => {
    const [first, second] = [listen(), listen()];
    using flows = new Flows([[addressOf(first), addressOf(first)], [addressOf(second)]]);
    for (const fd of [first, second]) flows.keep(fd);
    const client = flows.open();
    flows.answer(first, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    flows.answer(second, `${OK}hello`);
    assert.equal(hear(client), 5);
    assert.deepEqual(flows.health(2), [[REFUSED, UP], [0, 1]]);
    assert.ok(!wasDialled(first), "its other address was dialled");
  },
);

descriptorTest("At most three members are tried, and none that is down", () => {
  const last = listen();
  const dead = () => [closedPort()];
  using flows = new Flows([dead(), dead(), dead(), [addressOf(last)]]);
  flows.keep(last);
  flows.open();
  assert.ok(!wasDialled(last));
  flows.bench.context.health.setState(1, DOWN);
  flows.open();
  flows.answer(last, OK);
  assert.deepEqual(flows.health(4)[1], [0, 0, 0, 1]);
});

descriptorTest("Members share one connect timeout: one that is silent leaves time for the next", () => {
  const [silent, next] = [listen(), listen()];
  using flows = new Flows([[addressOf(silent)], [addressOf(next)]], { connectMs: 1000, protocol: SOCKS5 });
  for (const fd of [silent, next]) flows.keep(fd);
  const client = flows.open();
  flows.keep(accept(silent));
  const begun = performance.now();
  while (performance.now() - begun < 700) flows.bench.settle();
  sendAll(flows.answer(next, "\x05\0"), "\x05\0\0\x01\0\0\0\0\0\0hello");
  flows.bench.settle();
  assert.equal(hear(client), 5);
  assert.deepEqual(flows.health(2)[1], [0, 1]);
});

descriptorTest("No member is dialled where all are down, and the client is refused at once", () => {
  const listener = listen();
  using flows = new Flows([[addressOf(listener)], []]);
  flows.keep(listener);
  flows.bench.context.health.setState(0, DOWN);
  flows.open();
  assert.ok(!wasDialled(listener));
  assert.equal(flows.bench.sessions.size, 0);
});
