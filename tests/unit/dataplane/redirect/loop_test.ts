/** What redirect adds to the relay: a choice of upstreams, and one connection alone. */
import assert from "node:assert/strict";
import { EAFNOSUPPORT, ECONNREFUSED, ECONNRESET, ETIMEDOUT } from "../../../../ffi/consts.ts";
import { makeSockaddr, portOf, readSockaddr, writeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { closeFd } from "../../../../ffi/sockets/socket.ts";
import type { WorkerOptions } from "../../../../src/dataplane/orders.ts";
import { RedirectDialler, type RedirectTarget } from "../../../../src/dataplane/upstream/listed.ts";
import { runRedirectLoop } from "../../../../src/dataplane/redirect/loop.ts";
import { TcpAcceptor } from "../../../../src/dataplane/tcp/accept.ts";
import { createLogger } from "../../../../src/log.ts";
import { check } from "../../../../src/net/error.ts";
import { formatEndpoint, parseEndpoint } from "../../../../src/net/ip.ts";
import { descriptorTest } from "../../ffi/support/descriptors.ts";
import {
  accept,
  addressOf,
  closedPort,
  dial,
  finish,
  listen,
  Reader,
  readText,
  sendAll,
} from "../../ffi/support/tcp.ts";
import { SessionBench } from "../support/session_bench.ts";

type Sockaddr = Uint8Array<ArrayBuffer>;

function show(address: Sockaddr): string {
  return formatEndpoint(readSockaddr(address));
}

/** A dialler that writes down what it reports. */
function makeDialler(target: Partial<RedirectTarget>): { dialler: RedirectDialler; reports: string[] } {
  const reports: string[] = [];
  const whole = { upstreams: null, fromClient: false, fastOpen: false, listenPort: 0, ...target };
  const dialler = new RedirectDialler(whole, {
    handling: (_client, upstream) => reports.push(`handling ${show(upstream)}`),
    failed: (_client, upstream, error) => reports.push(`failed ${show(upstream)} ${error}`),
    looped: () => reports.push("looped"),
  });
  return { dialler, reports };
}

/** A redirector on a bench, with a client that has dialled it. */
class Stage implements Disposable {
  readonly bench: SessionBench;
  readonly client: number;
  readonly reports: string[];
  readonly #acceptor: TcpAcceptor;
  readonly #open: number[] = [];

  constructor(target: Partial<RedirectTarget>, options: Partial<WorkerOptions> = {}) {
    const listener = listen();
    const listenPort = portOf(addressOf(listener));
    const { dialler, reports } = makeDialler({ listenPort, ...target });
    this.reports = reports;
    this.bench = new SessionBench(options, dialler);
    const { epoll, clock, log, sessions } = this.bench;
    const orders = { ...this.bench.options, listeners: [{ fd: listener, address: null }] };
    this.#acceptor = new TcpAcceptor(orders, { epoll, clock, log, sessions, dialler });
    this.bench.onOther = (key) => this.#acceptor.accept(key);
    this.client = this.keep(dial(addressOf(listener)));
    check(this.#acceptor.start(), "epoll_ctl");
  }

  keep(fd: number): number {
    this.#open.push(fd);
    return fd;
  }

  [Symbol.dispose](): void {
    this.#acceptor.close();
    this.bench[Symbol.dispose]();
    this.#open.forEach(closeFd);
  }
}

/** An address that answers no SYN: the queue of its listener is full. */
function silentAddress(): { address: Sockaddr; fds: number[] } {
  const listener = listen({ backlog: 0 });
  const address = addressOf(listener);
  return { address, fds: [listener, dial(address), dial(address), dial(address)] };
}

descriptorTest(
  "RedirectDialler tries the next address when one refuses, and loses nothing of the client's",
  async () => {
    const server = listen();
    const refusing = closedPort();
    using stage = new Stage({ upstreams: [refusing, addressOf(server)] });
    sendAll(stage.client, "early");
    finish(stage.client);
    stage.bench.settle();
    const upstream = stage.keep(accept(server));
    sendAll(upstream, "answer");
    finish(upstream);
    const [request, response] = [new Reader(upstream), new Reader(stage.client)];
    await stage.bench.until(() => request.read() === "end" && response.read() === "end");
    assert.deepEqual([request.text, response.text], ["early", "answer"]);
    assert.deepEqual(stage.reports, [
      `failed ${show(refusing)} ${ECONNREFUSED}`,
      `handling ${show(addressOf(server))}`,
    ]);
    assert.deepEqual(stage.bench.counts(), { accepted: 1, connected: 1, closed: 1 });
    closeFd(server);
  },
);

descriptorTest("RedirectDialler tries the next address when one is silent", async () => {
  const silent = silentAddress();
  const server = listen();
  using stage = new Stage({ upstreams: [silent.address, addressOf(server)] }, { connectMs: 200 });
  silent.fds.forEach((fd) => stage.keep(fd));
  await stage.bench.until(() => stage.bench.counts().connected === 1);
  assert.deepEqual(stage.reports, [
    `failed ${show(silent.address)} ${ETIMEDOUT}`,
    `handling ${show(addressOf(server))}`,
  ]);
  closeFd(server);
});

descriptorTest(
  "RedirectDialler gives each address its time, and resets the client after the last",
  async () => {
    const refusing = closedPort();
    const silent = silentAddress();
    using stage = new Stage({ upstreams: [refusing, silent.address, refusing] }, { connectMs: 300 });
    silent.fds.forEach((fd) => stage.keep(fd));
    const start = performance.now();
    await stage.bench.until(() => stage.bench.sessions.size === 0 && stage.reports.length === 3);
    assert.ok(performance.now() - start >= 290);
    assert.equal(readText(stage.client).end, -ECONNRESET);
    assert.deepEqual(stage.reports, [
      `failed ${show(refusing)} ${ECONNREFUSED}`,
      `failed ${show(silent.address)} ${ETIMEDOUT}`,
      `failed ${show(refusing)} ${ECONNREFUSED}`,
    ]);
    assert.deepEqual(stage.bench.counts(), { accepted: 1, refused: 1 });
  },
);

descriptorTest("RedirectDialler without upstreams resets who dials the redirector itself", () => {
  using stage = new Stage({ upstreams: null });
  stage.bench.settle();
  assert.equal(readText(stage.client).end, -ECONNRESET);
  assert.deepEqual(stage.reports, ["looped"]);
});

descriptorTest("RedirectDialler dials no IPv6 upstream from the address of an IPv4 client", () => {
  const upstream = makeSockaddr();
  writeSockaddr(upstream, parseEndpoint("[2001:db8::1]:80")!);
  using stage = new Stage({ upstreams: [upstream], fromClient: true });
  stage.bench.settle();
  assert.equal(readText(stage.client).end, -ECONNRESET);
  assert.deepEqual(stage.reports, [`failed [2001:db8::1]:80 ${EAFNOSUPPORT}`]);
});

/** Runs the loop for one connection, with two clients in the queue; how it went, and what the second saw. */
function runOnce(upstream: Sockaddr): { reached: boolean; ends: unknown[]; reports: string[] } {
  const listener = listen();
  const clients = [dial(addressOf(listener)), dial(addressOf(listener))];
  sendAll(clients[0], "hello");
  finish(clients[0]);
  const { dialler, reports } = makeDialler({ upstreams: [upstream] });
  const reached = runRedirectLoop({
    listeners: [listener],
    dialler,
    once: true,
    maxConnections: 10,
    maxPipes: 10,
    connectMs: 1000,
    idleMs: 1000,
    halfClosedMs: 100, // nobody answers: with that it ends
    log: createLogger({ level: "error", format: "text", write: () => {} }),
  });
  const ends = clients.map((fd) => readText(fd).end);
  clients.forEach(closeFd);
  return { reached, ends, reports };
}

descriptorTest("runRedirectLoop() serves one client when it is told to, and resets the next", () => {
  const server = listen();
  const { reached, ends, reports } = runOnce(addressOf(server));
  assert.equal(reached, true);
  assert.deepEqual(reports, [`handling ${show(addressOf(server))}`]);
  assert.deepEqual(ends, [-ECONNRESET, -ECONNRESET]);
  const upstream = accept(server);
  assert.equal(readText(upstream, 5).text, "hello");
  closeFd(upstream);
  closeFd(server);
});

descriptorTest("runRedirectLoop() tells that its one client has reached nobody", () => {
  const { reached, reports } = runOnce(closedPort());
  assert.equal(reached, false);
  assert.equal(reports.length, 1);
});
