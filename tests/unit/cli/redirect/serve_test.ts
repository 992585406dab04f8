/** What redirect adds to the relay: a choice of upstreams, and one connection alone. */
import assert from "node:assert/strict";
import { EAFNOSUPPORT, ECONNREFUSED, ECONNRESET, ETIMEDOUT } from "../../../../ffi/consts.ts";
import { makeSockaddr, portOf, readSockaddr, writeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { closeFd } from "../../../../ffi/sockets/socket.ts";
import { serveRedirect } from "../../../../src/cli/redirect/serve.ts";
import { DEFAULT_CONFIG } from "../../../../src/config/defaults.ts";
import {
  RedirectDialler,
  type RedirectReport,
  type RedirectTarget,
} from "../../../../src/dataplane/upstream/listed.ts";
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
import { type BenchOptions, SessionBench } from "../../dataplane/support/session_bench.ts";

type Sockaddr = Uint8Array<ArrayBuffer>;

function show(address: Sockaddr): string {
  return formatEndpoint(readSockaddr(address));
}

/** A report that writes down what it is told. */
function writeDown(reports: string[]): RedirectReport {
  return {
    handling: (_client, upstream) => reports.push(`handling ${show(upstream)}`),
    failed: (_client, upstream, error) => reports.push(`failed ${show(upstream)} ${error}`),
    looped: () => reports.push("looped"),
  };
}

const TARGET: RedirectTarget = { upstreams: null, fromClient: false, fastOpen: false, listenPort: 0 };

/** A redirector on a bench, with a client that has dialled it. */
class Stage implements Disposable {
  readonly bench: SessionBench;
  readonly client: number;
  readonly reports: string[] = [];
  readonly #open: number[] = [];

  constructor(target: Partial<RedirectTarget>, options: BenchOptions = {}) {
    const listener = listen();
    const whole = { ...TARGET, listenPort: portOf(addressOf(listener)), ...target };
    const source = whole.fromClient ? "client" : "router";
    let dialler: RedirectDialler;
    this.bench = new SessionBench(
      { source, ...options },
      (context) => dialler = new RedirectDialler(context, whole, writeDown(this.reports)),
    );
    const { context, loop, sessions } = this.bench;
    const listeners = [{ fd: listener, address: null }];
    const acceptor = new TcpAcceptor(context, { listeners, sessions, dialler: dialler! });
    loop.add(acceptor);
    this.client = this.keep(dial(addressOf(listener)));
    check(acceptor.start(), "epoll_ctl");
  }

  keep(fd: number): number {
    this.#open.push(fd);
    return fd;
  }

  [Symbol.dispose](): void {
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
  const reports: string[] = [];
  const reached = serveRedirect({
    listeners: [listener],
    target: { ...TARGET, upstreams: [upstream] },
    report: writeDown(reports),
    once: true,
    log: createLogger({ level: "error", format: "text", write: () => {} }),
    // Nobody answers: with the last of them it ends.
    timeouts: { ...DEFAULT_CONFIG.timeouts, connectMs: 1000, tcpIdleMs: 1000, halfClosedMs: 100 },
  });
  const ends = clients.map((fd) => readText(fd).end);
  clients.forEach(closeFd);
  return { reached, ends, reports };
}

descriptorTest("serveRedirect() serves one client when it is told to, and resets the next", () => {
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

descriptorTest("serveRedirect() tells that its one client has reached nobody", () => {
  const { reached, reports } = runOnce(closedPort());
  assert.equal(reached, false);
  assert.equal(reports.length, 1);
});
