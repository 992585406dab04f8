/** Associations with a SOCKS5 proxy that a test plays: what it says, when it goes, where it relays. */
import assert from "node:assert/strict";
import { makeSockaddr, readSockaddr, writeSockaddr } from "../../../../../ffi/sockets/sockaddr.ts";
import { closeFd } from "../../../../../ffi/sockets/socket.ts";
import { OTHER, PROXIED, UdpTable } from "../../../../../src/dataplane/udp/table.ts";
import type { Service } from "../../../../../src/dataplane/loop/service.ts";
import { makeSolo } from "../../../../../src/dataplane/solo.ts";
import { HeldBytes, type HeldQueue } from "../../../../../src/dataplane/udp/flows/held.ts";
import type { Association } from "../../../../../src/dataplane/udp/upstreams/association.ts";
import { Associations } from "../../../../../src/dataplane/udp/upstreams/associations.ts";
import { UdpUpstream } from "../../../../../src/dataplane/udp/upstreams/upstreams.ts";
import { DOWN, UP } from "../../../../../src/dataplane/upstream/health.ts";
import type { Sockaddr } from "../../../../../src/dataplane/upstream/upstream.ts";
import { createLogger } from "../../../../../src/log.ts";
import { formatEndpoint, parseEndpoint } from "../../../../../src/net/ip.ts";
import { sockaddr } from "../../support/addresses.ts";
import { testSettings } from "../../support/session_bench.ts";
import { arrivalOf } from "../flows/arrivals.ts";

const HELLO = [5, 1, 0];
const ASSOCIATE = [5, 3, 0, 1, 0, 0, 0, 0, 0, 0];
/** The proxy relays at 0.0.0.0:4660. */
const REPLY = [5, 0, 0, 1, 0, 0, 0, 0, 0x12, 0x34];

function address(text: string): Sockaddr {
  const bytes = makeSockaddr();
  writeSockaddr(bytes, parseEndpoint(text)!);
  return bytes;
}

/** A worker with one session, whose upstream has these addresses. */
class Bench implements AsyncDisposable {
  readonly released: number[] = [];
  readonly refused: number[] = [];
  readonly solo = makeSolo({
    log: createLogger({ level: "error", format: "text", write: () => {} }),
    settings: testSettings({ connectMs: 1000 }),
  });
  readonly listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly connections: Deno.Conn[] = [];
  readonly table = new UdpTable(this.solo.context.ledgers.udp);
  readonly associations: Associations;
  readonly association: Association;

  constructor(addresses?: readonly string[], udpAddress: Sockaddr | null = null) {
    const { context } = this.solo;
    const own = `127.0.0.1:${this.listener.addr.port}`;
    const service: Service = {
      start: () => 0,
      event: (key, tag, bits) => {
        if (Associations.owns(key)) this.associations.event(key, tag, bits);
      },
      turn: () =>
        this.associations.turn((queue) => {
          this.released.push(queue.datagrams.length);
          queue.clear();
        }),
      timeout: () => this.associations.timeout(),
      drain: () => {},
      idle: () => true,
      close: () => this.associations.closing(0),
    };
    const held = new HeldBytes();
    this.associations = new Associations(context, {
      table: this.table,
      service,
      held,
      mark: 0,
      refuse: (queue: HeldQueue) => {
        this.refused.push(queue.datagrams.length);
        queue.clear();
      },
    });
    context.loop.add(service);
    assert.ok(context.loop.start() >= 0);
    const protocol = { type: "socks5", credentials: null, sends: "address", udpAddress } as const;
    const settings = {
      name: "office",
      place: 0,
      fall: 3,
      addresses: (addresses ?? [own]).map((text) => address(text === "own" ? own : text)),
      protocol,
    };
    const upstream = new UdpUpstream(context, settings, -1);
    const slot = this.table.open(sockaddr("10.0.0.9:4000"), 0, {
      fd: -1,
      tick: 0,
      time: 0,
      kind: OTHER,
      way: 0,
      traits: PROXIED,
      owner: upstream.number,
    });
    assert.equal(slot, 0);
    this.association = this.associations.open({ slot, tag: this.table.tags[slot] }, upstream, protocol);
  }

  send(): boolean {
    return this.associations.hold(this.association, arrivalOf(Uint8Array.of(1)));
  }

  /** Turns the loop until a promise is there. */
  async turning<T>(wanted: Promise<T>): Promise<T> {
    let over = false;
    const end = wanted.finally(() => over = true);
    while (!over) {
      this.solo.context.loop.turn(2);
      await new Promise((done) => setTimeout(done, 1));
    }
    return end;
  }

  /** Turns it until something is so, three seconds at most. */
  async until(isSo: () => boolean): Promise<void> {
    const end = performance.now() + 3000;
    while (!isSo()) {
      assert.ok(performance.now() < end, "it does not come about");
      this.solo.context.loop.turn(2);
      await new Promise((done) => setTimeout(done, 1));
    }
  }

  async accept(): Promise<Deno.Conn> {
    const connection = await this.turning(this.listener.accept());
    this.connections.push(connection);
    return connection;
  }

  async hear(connection: Deno.Conn, length: number): Promise<number[]> {
    const bytes = new Uint8Array(length);
    return [...bytes.subarray(0, await this.turning(connection.read(bytes)) ?? 0)];
  }

  /** Plays a proxy that relays. */
  async relay(reply: readonly number[] = REPLY): Promise<Deno.Conn> {
    const connection = await this.accept();
    assert.deepEqual(await this.hear(connection, 3), HELLO);
    await connection.write(Uint8Array.of(5, 0));
    assert.deepEqual(await this.hear(connection, 10), ASSOCIATE);
    await connection.write(Uint8Array.from(reply));
    await this.until(() => this.association.isUp);
    return connection;
  }

  /** Plays a proxy that answers with another code than 0. */
  async meetRefusal(code: number): Promise<void> {
    const before = this.refused.length;
    assert.ok(this.send());
    const connection = await this.accept();
    await this.hear(connection, 3);
    await connection.write(Uint8Array.of(5, 0));
    await this.hear(connection, 10);
    await connection.write(Uint8Array.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0));
    await this.until(() => this.refused.length > before);
  }

  relayPlace(): string {
    return formatEndpoint(readSockaddr(new Uint8Array(this.association.relay.buffer)));
  }

  // deno-lint-ignore require-await
  async [Symbol.asyncDispose](): Promise<void> {
    this.solo.context.loop.close();
    if (this.table.fds[0] >= 0) closeFd(this.table.fds[0]); // as its session would
    for (const connection of this.connections) connection.close();
    this.listener.close();
  }
}

Deno.test("Associations: datagrams wait until the proxy relays, at the other end of its connection", async () => {
  await using bench = new Bench();
  assert.ok(bench.send() && bench.send());
  await bench.relay();
  assert.deepEqual([bench.released, bench.refused], [[2], []]);
  assert.equal(bench.relayPlace(), "127.0.0.1:4660");
  const { clientFd, upstreamFd } = bench.solo.context.ledgers.udp.columns;
  assert.ok(clientFd[0] >= 0 && upstreamFd[0] >= 0, "a worker that fails leaves both to be closed");
  bench.associations.closing(0);
  assert.deepEqual([clientFd[0], bench.associations.timeout()], [-1, -1]);
});

Deno.test("Associations: udp-address says where a proxy relays, with the port that it names", async () => {
  await using bench = new Bench(undefined, address("127.0.0.9:0"));
  bench.send();
  await bench.relay();
  assert.equal(bench.relayPlace(), "127.0.0.9:4660");
});

Deno.test("Associations: the end of the connection ends it, and the next datagram begins another", async () => {
  await using bench = new Bench();
  bench.send();
  const connection = await bench.relay();
  bench.association.deadline -= 100; // it has lived for a while
  connection.close();
  bench.connections.length = 0;
  await bench.until(() => !bench.association.isUp);
  assert.equal(bench.table.fds[0], -1, "its relay is closed, too");
  assert.ok(bench.send(), "at once");
  await bench.relay();
  assert.deepEqual([bench.released, bench.refused], [[1, 1], [0]]);
});

Deno.test("Associations: a proxy that goes on talking has its own idea of SOCKS5", async () => {
  await using bench = new Bench();
  bench.send();
  const connection = await bench.relay();
  let isOver = false;
  const flood = (async () => {
    try {
      while (!isOver) await connection.write(new Uint8Array(1 << 20));
    } catch {
      // It was hung up on.
    }
  })();
  await bench.until(() => !bench.association.isUp);
  isOver = true;
  await bench.turning(flood);
});

Deno.test("Associations: a proxy that refuses is asked later and later, and all is refused meanwhile", async () => {
  await using bench = new Bench();
  const { clock } = bench.solo.context;
  const waits: number[] = [];
  for (let failure = 0; failure < 7; failure++) {
    const { tick } = clock;
    await bench.meetRefusal(7);
    assert.equal(bench.send(), false);
    waits.push(Math.round((bench.association.retryTick - tick) / 10));
    bench.association.retryTick = tick;
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 30, 30]);
  assert.deepEqual([bench.released, bench.refused], [[], Array(7).fill(1)]);
});

for (
  const [code, meaning, state] of [
    [1, "general failure", DOWN],
    [2, "not allowed by its rules", UP],
    [5, "connection refused", UP],
    [7, "it has no UDP", UP],
  ] as const
) {
  Deno.test(`Associations: reply ${code}, ${meaning}: blamed as for TCP`, async () => {
    await using bench = new Bench();
    const { health } = bench.solo.context;
    for (let failure = 0; failure < 3; failure++) {
      await bench.meetRefusal(code);
      bench.association.retryTick = 0;
    }
    assert.equal(health.state(0), state);
  });
}

Deno.test("Associations: another address is tried where one fails, within one timeout", async () => {
  await using bench = new Bench(["127.0.0.1:1", "own"]);
  bench.send();
  await bench.relay();
  assert.deepEqual(bench.released, [1]);
});

Deno.test("Associations: a proxy that is silent has failed when timeouts.connect is over", async () => {
  await using bench = new Bench();
  const begin = performance.now();
  bench.send();
  await bench.accept();
  await bench.until(() => bench.refused.length > 0);
  const waited = performance.now() - begin;
  assert.ok(waited > 850 && waited < 1500, `after ${waited} ms`);
  assert.equal(bench.send(), false);
});
