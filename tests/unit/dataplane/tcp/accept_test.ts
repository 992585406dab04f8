/**
 * The acceptor without privileges. A wildcard listener takes connections to any of 127.0.0.0/8; "the original
 * server" is a listener on one of these addresses with the same port, opened after the client's connection is
 * queued.
 */
import assert from "node:assert/strict";
import { AF_INET, ECONNRESET, EPERM } from "../../../../ffi/consts.ts";
import { closeFd } from "../../../../ffi/sockets/socket.ts";
import { DirectUpstream } from "../../../../src/dataplane/upstream/direct.ts";
import type { ListenerHandle } from "../../../../src/dataplane/orders.ts";
import { makeTransparent } from "../../../../src/dataplane/sockets/transparent.ts";
import { TcpAcceptor } from "../../../../src/dataplane/tcp/accept.ts";
import { check } from "../../../../src/net/error.ts";
import { descriptorTest } from "../../ffi/support/descriptors.ts";
import {
  accept,
  address,
  addressOf,
  dial,
  finish,
  listen,
  pattern,
  Reader,
  readText,
  sendAll,
} from "../../ffi/support/tcp.ts";
import { runLoneWorker } from "../support/lone_worker.ts";
import { show } from "../support/redirect.ts";
import { type BenchOptions, SessionBench, testSettings } from "../support/session_bench.ts";

const SERVER = "127.0.0.2";

/** A wildcard listener and clients that wait in its queue, having dialled SERVER. */
class Street implements Disposable {
  readonly listener = listen({ ip: "0.0.0.0", reusePort: true });
  readonly port = new DataView(addressOf(this.listener).buffer).getUint16(2);
  readonly #open: number[] = [];

  /** A client that is in the queue. */
  client(ip = SERVER): number {
    return this.keep(dial(address(ip, this.port)));
  }

  /** The server that clients mean; those that come from now on reach it directly. */
  server(): number {
    return this.keep(listen({ ip: SERVER, port: this.port, reusePort: true }));
  }

  keep(fd: number): number {
    this.#open.push(fd);
    return fd;
  }

  /** The wildcard listener, which takes another address for its own. */
  get listeners(): ListenerHandle[] {
    return [{ fd: this.listener, address: address("127.0.0.1", this.port) }];
  }

  [Symbol.dispose](): void {
    this.#open.forEach(closeFd);
  }
}

/** Tells that we have the capability that IP_TRANSPARENT asks for. */
function mayBeTransparent(): boolean {
  const probe = listen();
  const returned = makeTransparent(probe, AF_INET);
  closeFd(probe);
  assert.ok(returned === 0 || returned === -EPERM);
  return returned === 0;
}

/** The sessions of connections to where clients wanted to go. */
function directBench(options: BenchOptions = {}): SessionBench {
  return new SessionBench(options, (context) => new DirectUpstream(context));
}

/** An acceptor in the loop of a bench. */
function startAcceptor(bench: SessionBench, { listeners }: Street): TcpAcceptor {
  const { context, sessions } = bench;
  const acceptor = new TcpAcceptor(context, { listeners, sessions });
  context.loop.add(acceptor);
  check(acceptor.start(), "epoll_ctl");
  return acceptor;
}

descriptorTest("TcpAcceptor dials where the client wanted to go", async () => {
  using street = new Street();
  const client = street.client();
  const server = street.server();
  using bench = directBench();
  const acceptor = startAcceptor(bench, street);
  bench.settle();
  const upstream = street.keep(accept(server));
  sendAll(client, "hello");
  const reader = new Reader(upstream);
  await bench.until(() => (reader.read(), reader.text === "hello"));
  assert.deepEqual(bench.counts(), { accepted: 1, connected: 1 });
  assert.equal(bench.shared.live, 1);
  acceptor.drain();
});

descriptorTest(
  "A connection is described in the log from its beginning to its end, and at level debug alone",
  async () => {
    for (const logLevel of ["debug", "info"] as const) {
      using street = new Street();
      const client = street.client();
      const server = street.server();
      using bench = directBench({ logLevel });
      const acceptor = startAcceptor(bench, street);
      bench.settle();
      const upstream = street.keep(accept(server));
      finish(client);
      finish(upstream);
      await bench.until(() => bench.sessions.size === 0);
      acceptor.drain();
      const who = `client=${show(addressOf(client))} destination=${SERVER}:${street.port}`;
      const lines = bench.lines.map((line) => line.slice(line.indexOf("connection")).trimEnd());
      const expected = logLevel === "info" ? [] : [`connection opened ${who}`, `connection closed ${who}`];
      assert.deepEqual(lines, expected);
    }
  },
);

descriptorTest("TcpAcceptor resets who dials the listener itself", () => {
  using street = new Street();
  const client = street.client("127.0.0.1");
  using bench = directBench();
  const acceptor = startAcceptor(bench, street);
  bench.settle();
  assert.equal(readText(client).end, -ECONNRESET);
  assert.deepEqual(bench.counts(), { accepted: 1, looped: 1 });
  acceptor.drain();
});

descriptorTest(
  "TcpAcceptor dials from the client's address, or resets the client where it may not",
  async () => {
    using street = new Street();
    const client = street.client();
    const server = street.server();
    using bench = directBench({ source: "client" });
    const acceptor = startAcceptor(bench, street);
    bench.settle();
    if (mayBeTransparent()) {
      // The client's own socket has that address and port: another port it is.
      const upstream = street.keep(accept(server));
      sendAll(upstream, "hello");
      const reader = new Reader(client);
      await bench.until(() => (reader.read(), reader.text === "hello"));
      assert.deepEqual(bench.counts(), { accepted: 1, connected: 1, portChanged: 1 });
    } else {
      assert.equal(readText(client).end, -ECONNRESET);
      assert.deepEqual(bench.counts(), { accepted: 1, failed: 1 });
    }
    acceptor.drain();
  },
);

descriptorTest("TcpAcceptor turns away who has most, while all that he has is young", async () => {
  using street = new Street();
  const clients = [street.client(), street.client(), street.client()];
  const server = street.server();
  using bench = directBench({ maxConnections: 2 });
  const acceptor = startAcceptor(bench, street);
  bench.settle();
  assert.equal(bench.shared.live, 2);
  assert.deepEqual(bench.counts(), { accepted: 3, connected: 2, overLimit: 1 });
  assert.equal(readText(clients[2]).end, -ECONNRESET);
  assert.equal(acceptor.timeout(), -1);
  finish(street.keep(accept(server)));
  finish(clients[0]);
  await bench.until(() => bench.counts().closed === 1);
  assert.equal(bench.shared.live, 1);
  acceptor.drain();
});

descriptorTest("TcpAcceptor.drain() takes what is queued, and then nothing", async () => {
  using street = new Street();
  const client = street.client();
  const server = street.server();
  using bench = directBench();
  const acceptor = startAcceptor(bench, street);
  acceptor.drain();
  await bench.until(() => bench.counts().connected === 1);
  const upstream = street.keep(accept(server));
  sendAll(upstream, "served");
  bench.settle();
  assert.equal(readText(client, 6).text, "served");
  assert.equal(acceptor.accept(0), 0);
});

descriptorTest("WorkerLife drains: serves what is queued, ends, and leaves nothing open", () => {
  using street = new Street();
  const client = street.client();
  street.server();
  // Much, so that pipes are used. Nobody answers: the half-closed session expires, and the worker ends.
  sendAll(client, pattern(150_000));
  finish(client);
  const { reason, messages, books } = runLoneWorker({
    listeners: street.listeners,
    settings: testSettings({ halfClosedMs: 100 }),
    orders: [{ kind: "drain" }],
  });
  assert.equal(reason, null);
  assert.deepEqual(messages, [{ kind: "ready" }]);
  assert.equal(books.state.live, 0);
  assert.equal(books.counters().bytesUp, 150_000);
});

descriptorTest("WorkerLife stops: resets what is queued", () => {
  using street = new Street();
  const client = street.client();
  street.server();
  const { reason, books } = runLoneWorker({
    listeners: street.listeners,
    settings: testSettings(),
    orders: [{ kind: "stop" }],
  });
  assert.equal(reason, null);
  assert.equal(books.state.live, 0);
  assert.equal(readText(client).end, -ECONNRESET);
});
