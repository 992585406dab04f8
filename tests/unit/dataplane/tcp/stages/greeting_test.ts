/** The talk with an upstream proxy on real sockets: what waits meanwhile, what is left for whom, and ends. */
import assert from "node:assert/strict";
import { EAGAIN, ECONNRESET } from "../../../../../ffi/consts.ts";
import { makeSockaddr } from "../../../../../ffi/sockets/sockaddr.ts";
import { acceptSocket, closeFd } from "../../../../../ffi/sockets/socket.ts";
import { ProxiedUpstream } from "../../../../../src/dataplane/upstream/proxied.ts";
import type { Sockaddr } from "../../../../../src/dataplane/upstream/upstream.ts";
import type { UpstreamProtocol } from "../../../../../src/dataplane/upstream/settings.ts";
import { descriptorTest } from "../../../ffi/support/descriptors.ts";
import {
  accept,
  addressOf,
  bytes,
  closedPort,
  finish,
  listen,
  Reader,
  reset,
  sendAll,
  tcpPair,
} from "../../../ffi/support/tcp.ts";
import { type BenchOptions, SessionBench } from "../../support/session_bench.ts";
import { octets, sockaddr } from "../../upstream/greetings/talk.ts";

const CONNECT: UpstreamProtocol = { type: "http-connect", credentials: null, sends: "address" };
const SOCKS5: UpstreamProtocol = { type: "socks5", credentials: null, sends: "address" };
const OK = "HTTP/1.1 200 OK\r\n\r\n";
const REQUEST = "CONNECT 198.51.100.7:443 HTTP/1.1\r\nHost: 198.51.100.7:443\r\n\r\n";

/** A client whose flow to 198.51.100.7:443 goes through a proxy, which the test plays. */
class Tunnel implements Disposable {
  readonly bench: SessionBench;
  readonly client: number;
  readonly listener = listen();
  readonly #open: number[] = [this.listener];

  constructor(
    protocol: UpstreamProtocol,
    options: BenchOptions = {},
    others: { before?: readonly Sockaddr[]; after?: readonly Sockaddr[] } = {},
  ) {
    const addresses = [...others.before ?? [], addressOf(this.listener), ...others.after ?? []];
    const settings = { name: "office", place: 0, fall: 3, addresses, protocol };
    this.bench = new SessionBench(
      { logLevel: "warn", ...options },
      (context) => new ProxiedUpstream(context, settings, null, 1),
    );
    this.client = this.open();
  }

  /** Another client's end of a flow to a port of 198.51.100.7. */
  open(port = 443): number {
    const [proxySide, client] = tcpPair();
    this.bench.shared.addLive(1);
    const session = this.bench.sessions.begin(proxySide, sockaddr("192.0.2.1:40000"));
    session.destination.set(sockaddr(`198.51.100.7:${port}`));
    this.bench.sessions.dial(session);
    this.bench.settle();
    return this.keep(client);
  }

  /** The next connection to the proxy. */
  async accept(): Promise<number> {
    this.bench.settle();
    const proxy = this.keep(accept(this.listener));
    await this.bench.until(() => true);
    return proxy;
  }

  /** Reads what the other end of a socket of the test has sent, turning meanwhile. */
  async read(fd: number, length: number): Promise<string> {
    const reader = new Reader(fd);
    await this.bench.until(() => reader.read() !== "open" || reader.data.length >= length);
    return reader.text;
  }

  keep(fd: number): number {
    this.#open.push(fd);
    return fd;
  }

  reset(fd: number): void {
    this.#open.splice(this.#open.indexOf(fd), 1);
    reset(fd);
  }

  [Symbol.dispose](): void {
    this.bench[Symbol.dispose]();
    this.#open.forEach(closeFd);
  }
}

descriptorTest(
  "A talk is had before the client's bytes pass, and a server that speaks at once loses none",
  async () => {
    using tunnel = new Tunnel(CONNECT);
    sendAll(tunnel.client, "early");
    const proxy = await tunnel.accept();
    assert.equal(
      await tunnel.read(proxy, REQUEST.length),
      REQUEST,
      "nothing of the client before the tunnel stands",
    );
    sendAll(proxy, `${OK}220 mail`);
    assert.equal(await tunnel.read(tunnel.client, 8), "220 mail");
    assert.equal(await tunnel.read(proxy, 5), "early");
    assert.deepEqual(tunnel.bench.counts(), { connected: 1 });
    assert.deepEqual(tunnel.bench.relayed(), { up: 5, down: 8 }, "the talk is not counted");
  },
);

for (
  const [name, protocol, answers] of [
    ["CONNECT", CONNECT, [bytes(OK)]],
    ["SOCKS5", SOCKS5, [octets("05 00"), octets("05 00 00 01 00000000 0000")]],
  ] as const
) {
  descriptorTest(
    `${name}: an answer may be cut at every byte, and the server's bytes follow in the last`,
    async () => {
      const most = Math.max(...answers.map(({ length }) => length));
      for (let cut = 1; cut < most; cut++) {
        using tunnel = new Tunnel(protocol);
        const proxy = await tunnel.accept();
        for (const [i, answer] of answers.entries()) {
          await tunnel.read(proxy, 3);
          const rest = answer.slice(Math.min(cut, answer.length));
          sendAll(proxy, answer.slice(0, cut));
          tunnel.bench.settle();
          const banner = i === answers.length - 1 ? bytes("banner") : bytes("");
          if (rest.length + banner.length > 0) sendAll(proxy, Uint8Array.of(...rest, ...banner));
        }
        assert.equal(await tunnel.read(tunnel.client, 6), "banner", `cut at ${cut}`);
      }
    },
  );
}

descriptorTest("A client's end waits for the tunnel, and the server's answer comes back", async () => {
  using tunnel = new Tunnel(CONNECT);
  sendAll(tunnel.client, "request");
  finish(tunnel.client);
  const proxy = await tunnel.accept();
  await tunnel.read(proxy, REQUEST.length);
  sendAll(proxy, OK);
  const request = new Reader(proxy);
  await tunnel.bench.until(() => request.read() === "end");
  assert.equal(request.text, "request");
  sendAll(proxy, "answer");
  finish(proxy);
  const response = new Reader(tunnel.client);
  await tunnel.bench.until(() => response.read() === "end" && tunnel.bench.sessions.size === 0);
  assert.equal(response.text, "answer");
  assert.deepEqual(tunnel.bench.counts(), { connected: 1, closed: 1 });
});

descriptorTest(
  "A server's end that comes with the proxy's answer reaches the client behind its bytes",
  async () => {
    using tunnel = new Tunnel(CONNECT);
    const proxy = await tunnel.accept();
    await tunnel.read(proxy, REQUEST.length);
    sendAll(proxy, `${OK}bye`);
    finish(proxy);
    const reader = await tunnel.bench.readToEnd(tunnel.client);
    assert.deepEqual([reader.text, reader.end], ["bye", "end"]);
  },
);

descriptorTest(
  "A reset that comes with the proxy's answer reaches the client behind the server's bytes",
  async () => {
    using tunnel = new Tunnel(CONNECT);
    const proxy = await tunnel.accept();
    await tunnel.read(proxy, REQUEST.length);
    sendAll(proxy, `${OK}last words`);
    tunnel.reset(proxy);
    const reader = await tunnel.bench.readToEnd(tunnel.client);
    assert.deepEqual([reader.text, reader.end], ["last words", -ECONNRESET]);
    assert.deepEqual(tunnel.bench.counts(), { connected: 1, reset: 1 });
  },
);

descriptorTest("A proxy that ends or refuses before its answer is followed by its next address", async () => {
  const poor = listen();
  using tunnel = new Tunnel(CONNECT, {}, {
    before: [closedPort(), addressOf(poor)],
  });
  sendAll(tunnel.client, "early");
  await tunnel.bench.until(() => tunnel.bench.lines.length === 1);
  const first = accept(poor);
  await tunnel.read(first, REQUEST.length);
  sendAll(first, "HTTP/1.1 20");
  finish(first);
  const proxy = await tunnel.accept();
  assert.equal(await tunnel.read(proxy, REQUEST.length), REQUEST, "the talk begins anew");
  sendAll(proxy, OK);
  assert.equal(await tunnel.read(proxy, 5), "early");
  assert.deepEqual(tunnel.bench.counts(), { connected: 1 });
  assert.match(tunnel.bench.lines[0], /an upstream has failed.*office.*ECONNREFUSED/);
  closeFd(first);
  closeFd(poor);
});

descriptorTest("A destination that refuses is the client's reset, and no fault of the proxy", async () => {
  for (const status of ["503 Service Unavailable", "403 Forbidden"]) {
    const other = listen();
    using tunnel: Tunnel = new Tunnel(CONNECT, {}, { after: [addressOf(other)] });
    const proxy = await tunnel.accept();
    await tunnel.read(proxy, REQUEST.length);
    sendAll(proxy, `HTTP/1.1 ${status}\r\n\r\n`);
    assert.equal((await tunnel.bench.readToEnd(tunnel.client)).end, -ECONNRESET);
    const lines = tunnel.bench.lines.join("");
    if (status.startsWith("403")) assert.match(lines, /does not allow.*443 alone.*HTTP\/1\.1 403 Forbidden/);
    else assert.equal(lines, "");
    assert.equal(tunnel.bench.counts().connected, undefined);
    assert.equal(acceptSocket(other, makeSockaddr()), -EAGAIN, "no other address is tried");
    closeFd(other);
  }
});

descriptorTest("Credentials that a proxy does not take are told once, without them", async () => {
  const credentials = { username: bytes("user"), password: bytes("sesame") };
  using tunnel = new Tunnel({ ...CONNECT, credentials } as UpstreamProtocol);
  const proxy = await tunnel.accept();
  await tunnel.read(proxy, REQUEST.length);
  sendAll(proxy, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
  assert.equal((await tunnel.bench.readToEnd(tunnel.client)).end, -ECONNRESET);
  assert.equal(tunnel.bench.lines.length, 1);
  assert.match(tunnel.bench.lines[0], /refuses us as configured.*office.*HTTP\/1\.1 407/);
  assert.ok(!/sesame|c2VzYW1l/.test(tunnel.bench.lines[0]));
});

descriptorTest(
  "All addresses have one connect timeout: one that is silent leaves time for the next",
  async () => {
    const silent = listen();
    using tunnel = new Tunnel(SOCKS5, { connectMs: 1000 }, { before: [addressOf(silent)] });
    const start = performance.now();
    const first = accept(silent);
    let proxy = -1;
    await tunnel.bench.until(() => tunnel.bench.lines.length === 1);
    proxy = await tunnel.accept();
    const half = performance.now() - start;
    assert.ok(half > 400 && half < 800, `the second after ${half} ms`);
    assert.match(tunnel.bench.lines[0], /failed.*ETIMEDOUT/);
    await tunnel.read(proxy, 3);
    assert.equal((await tunnel.bench.readToEnd(tunnel.client)).end, -ECONNRESET);
    const whole = performance.now() - start;
    assert.ok(whole > 900 && whole < 1400, `the end after ${whole} ms`);
    assert.deepEqual(tunnel.bench.counts(), { timedOut: 1 });
    closeFd(first);
    closeFd(silent);
  },
);

descriptorTest("A client that resets its connection ends the talk, and nobody is blamed", async () => {
  using tunnel = new Tunnel(SOCKS5);
  const proxy = await tunnel.accept();
  await tunnel.read(proxy, 3);
  tunnel.reset(tunnel.client);
  const reader = await tunnel.bench.readToEnd(proxy);
  assert.equal(reader.end, -ECONNRESET);
  assert.deepEqual([tunnel.bench.lines, tunnel.bench.counts()], [[], { reset: 1 }]);
});

descriptorTest("A PROXY header is all that comes before the client's bytes", async () => {
  using tunnel = new Tunnel({ type: "forward", header: 1, source: "router" });
  sendAll(tunnel.client, "hello");
  const server = await tunnel.accept();
  const header = "PROXY TCP4 192.0.2.1 198.51.100.7 40000 443\r\n";
  assert.equal(await tunnel.read(server, header.length + 5), `${header}hello`);
});

descriptorTest("A talk is used again, and never by two flows at once", async () => {
  const refusing = listen();
  using tunnel = new Tunnel(CONNECT, {}, { after: [addressOf(refusing)] });
  closeFd(refusing);
  // The talk with the first address is over, and the second has none.
  const first = await tunnel.accept();
  await tunnel.read(first, REQUEST.length);
  finish(first);
  assert.equal((await tunnel.bench.readToEnd(tunnel.client)).end, -ECONNRESET);
  const clients = [80, 81].map((port) => tunnel.open(port));
  for (const port of [80, 81]) {
    const proxy = await tunnel.accept();
    assert.match(await tunnel.read(proxy, 50), new RegExp(`CONNECT 198.51.100.7:${port} `));
    sendAll(proxy, `${OK}${port}`);
  }
  assert.deepEqual(await Promise.all(clients.map((client) => tunnel.read(client, 2))), ["80", "81"]);
});

descriptorTest("An upstream without an address refuses", () => {
  const settings = { name: "unknown", place: 0, fall: 3, addresses: [], protocol: SOCKS5 };
  using bench = new SessionBench({}, (context) => new ProxiedUpstream(context, settings, null, 1));
  const [proxySide, client] = tcpPair();
  assert.ok(bench.open(proxySide) < 0);
  closeFd(client);
});
