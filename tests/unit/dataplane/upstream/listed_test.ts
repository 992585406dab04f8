/** The upstream of redirect: a choice of addresses. */
import assert from "node:assert/strict";
import { EAFNOSUPPORT, ECONNREFUSED, ECONNRESET, ETIMEDOUT } from "../../../../ffi/consts.ts";
import { makeSockaddr, portOf, writeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { closeFd } from "../../../../ffi/sockets/socket.ts";
import { TcpAcceptor } from "../../../../src/dataplane/tcp/accept.ts";
import { ListedUpstream, type RedirectTarget } from "../../../../src/dataplane/upstream/listed.ts";
import type { Sockaddr } from "../../../../src/dataplane/upstream/upstream.ts";
import { check } from "../../../../src/net/error.ts";
import { parseEndpoint } from "../../../../src/net/ip.ts";
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
  reset,
  sendAll,
} from "../../ffi/support/tcp.ts";
import { show, TARGET, writeDown } from "../support/redirect.ts";
import { type BenchOptions, SessionBench } from "../support/session_bench.ts";

/** A redirector on a bench, with a client that has dialled it. */
class Redirector implements Disposable {
  readonly bench: SessionBench;
  readonly client: number;
  readonly reports: string[] = [];
  readonly #open: number[] = [];

  constructor(target: Partial<RedirectTarget>, options: BenchOptions = {}) {
    const listener = listen();
    const whole = { ...TARGET, listenPort: portOf(addressOf(listener)), ...target };
    const source = whole.fromClient ? "client" : "router";
    this.bench = new SessionBench(
      { source, ...options },
      (context) => new ListedUpstream(context, whole, writeDown(this.reports)),
    );
    const { context, loop, sessions } = this.bench;
    const listeners = [{ fd: listener, address: null }];
    const acceptor = new TcpAcceptor(context, { listeners, sessions });
    loop.add(acceptor);
    this.client = this.keep(dial(addressOf(listener)));
    check(acceptor.start(), "epoll_ctl");
  }

  /** The client resets its connection. */
  resetClient(): void {
    this.#open.splice(this.#open.indexOf(this.client), 1);
    reset(this.client);
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
  "ListedUpstream tries the next address when one refuses, and loses nothing of the client's",
  async () => {
    const server = listen();
    const refusing = closedPort();
    using redirector = new Redirector({ upstreams: [refusing, addressOf(server)] });
    sendAll(redirector.client, "early");
    finish(redirector.client);
    redirector.bench.settle();
    const upstream = redirector.keep(accept(server));
    sendAll(upstream, "answer");
    finish(upstream);
    const [request, response] = [new Reader(upstream), new Reader(redirector.client)];
    await redirector.bench.until(() => request.read() === "end" && response.read() === "end");
    assert.deepEqual([request.text, response.text], ["early", "answer"]);
    assert.deepEqual(redirector.reports, [
      `failed ${show(refusing)} ${ECONNREFUSED}`,
      `handling ${show(addressOf(server))}`,
    ]);
    assert.deepEqual(redirector.bench.counts(), { accepted: 1, connected: 1, closed: 1 });
    closeFd(server);
  },
);

descriptorTest("ListedUpstream tries the next address when one is silent", async () => {
  const silent = silentAddress();
  const server = listen();
  using redirector = new Redirector({ upstreams: [silent.address, addressOf(server)] }, { connectMs: 200 });
  silent.fds.forEach((fd) => redirector.keep(fd));
  await redirector.bench.until(() => redirector.bench.counts().connected === 1);
  assert.deepEqual(redirector.reports, [
    `failed ${show(silent.address)} ${ETIMEDOUT}`,
    `handling ${show(addressOf(server))}`,
  ]);
  closeFd(server);
});

descriptorTest(
  "ListedUpstream gives each address its time, and resets the client after the last",
  async () => {
    const refusing = closedPort();
    const silent = silentAddress();
    using redirector = new Redirector({ upstreams: [refusing, silent.address, refusing] }, {
      connectMs: 300,
    });
    silent.fds.forEach((fd) => redirector.keep(fd));
    const start = performance.now();
    await redirector.bench.until(() =>
      redirector.bench.sessions.size === 0 && redirector.reports.length === 3
    );
    assert.ok(performance.now() - start >= 290);
    assert.equal(readText(redirector.client).end, -ECONNRESET);
    assert.deepEqual(redirector.reports, [
      `failed ${show(refusing)} ${ECONNREFUSED}`,
      `failed ${show(silent.address)} ${ETIMEDOUT}`,
      `failed ${show(refusing)} ${ECONNREFUSED}`,
    ]);
    assert.deepEqual(redirector.bench.counts(), { accepted: 1, refused: 1 });
  },
);

descriptorTest("ListedUpstream without upstreams resets who dials the redirector itself", () => {
  using redirector = new Redirector({ upstreams: null });
  redirector.bench.settle();
  assert.equal(readText(redirector.client).end, -ECONNRESET);
  assert.deepEqual(redirector.reports, ["looped"]);
});

descriptorTest("ListedUpstream dials no IPv6 upstream from the address of an IPv4 client", () => {
  const upstream = makeSockaddr();
  writeSockaddr(upstream, parseEndpoint("[2001:db8::1]:80")!);
  using redirector = new Redirector({ upstreams: [upstream], fromClient: true });
  redirector.bench.settle();
  assert.equal(readText(redirector.client).end, -ECONNRESET);
  assert.deepEqual(redirector.reports, [`failed [2001:db8::1]:80 ${EAFNOSUPPORT}`]);
});

descriptorTest("ListedUpstream blames no address when the client gives up", async () => {
  const silent = silentAddress();
  using redirector = new Redirector({ upstreams: [silent.address] });
  silent.fds.forEach((fd) => redirector.keep(fd));
  redirector.bench.settle();
  assert.equal(redirector.bench.sessions.size, 1);
  redirector.resetClient();
  await redirector.bench.until(() => redirector.bench.sessions.size === 0);
  assert.deepEqual(redirector.reports, []);
});
