/**
 * Flows whose name decides, in a loop that the test drives: the test plays the clients, the server that they
 * want, and the upstream `office`, which passes on what comes.
 * @module
 */
import assert from "node:assert/strict";
import { acceptSocket, closeFd } from "../../../../ffi/sockets/socket.ts";
import { makeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { parseConfig } from "../../../../src/config/load.ts";
import { policyOf } from "../../../../src/dataplane/context.ts";
import { DirectUpstream } from "../../../../src/dataplane/upstream/direct.ts";
import type { Sockaddr } from "../../../../src/dataplane/upstream/upstream.ts";
import { compilePolicy } from "../../../../src/policy/compile.ts";
import { buildNameSets } from "../../../../src/policy/name_sets.ts";
import { addressOf, listen, Reader, tcpPair } from "../../ffi/support/tcp.ts";
import { type BenchOptions, SessionBench } from "./session_bench.ts";

/** Names of `.blocked.example` end, all else goes to the server, which may be dialled at once. */
export const BLOCKS = { rules: [{ name: "ads", domains: [".blocked.example"], action: "block" }] };
/** The same, and names of `.office.example` go to the upstream: nobody may be dialled before. */
export const SENDS = {
  rules: [...BLOCKS.rules, {
    name: "work",
    domains: [".office.example"],
    action: "proxy",
    upstream: "office",
  }],
};

/** Something that clients connect to. */
export interface Place {
  readonly listener: number;
  readonly address: Sockaddr;
}

/** The flows. */
export class NamedFlows implements Disposable {
  readonly bench: SessionBench;
  readonly server: Place;
  readonly office: Place;
  readonly #open = new Set<number>();

  constructor(rules: object, options: BenchOptions = {}) {
    this.bench = new SessionBench(options, (context) => new DirectUpstream(context));
    this.server = this.#listen();
    this.office = this.#listen();
    const { context } = this.bench;
    const protocol = { type: "forward", header: null, source: "router" } as const;
    const office = { name: "office", place: 0, fall: 3, addresses: [this.office.address], protocol };
    context.settings = { ...context.settings, upstreams: [office] };
    this.adopt(rules);
  }

  /** Puts other rules into force. */
  adopt(rules: object): void {
    const upstreams = { office: { type: "forward", address: "127.0.0.1:9" } };
    const config = parseConfig(JSON.stringify({ default: "direct", upstreams, ...rules }), "rules");
    const { images } = buildNameSets(config, new Map(), Int32Array.of(1, 2));
    this.bench.context.policy = policyOf(compilePolicy(config, 1, images));
  }

  /** A client's end of a flow to the server. */
  client(): number {
    const [proxySide, client] = tcpPair();
    const { sessions, shared } = this.bench;
    shared.addLive(1);
    const session = sessions.begin(proxySide, makeSockaddr());
    session.destination.set(this.server.address);
    if (sessions.decide(session)) sessions.dial(session);
    this.bench.settle();
    return this.keep(client);
  }

  /** The next connection to a place. */
  async accept({ listener }: Place): Promise<number> {
    let accepted = -1;
    await this.bench.until(() => (accepted = acceptSocket(listener, makeSockaddr())) >= 0);
    return this.keep(accepted);
  }

  /** Nobody has connected to a place. */
  assertUntouched({ listener }: Place): void {
    this.bench.settle();
    assert.ok(acceptSocket(listener, makeSockaddr()) < 0, "it was dialled");
  }

  /** Reads what the other end of a socket of the test has sent, turning meanwhile. */
  async read(fd: number, length = Infinity): Promise<Reader> {
    const reader = new Reader(fd);
    await this.bench.until(() => reader.read() !== "open" || reader.data.length >= length, 5);
    return reader;
  }

  /** Closes a socket in the end. */
  keep(fd: number): number {
    this.#open.add(fd);
    return fd;
  }

  /** Leaves a socket to the test. */
  leave(fd: number): number {
    this.#open.delete(fd);
    return fd;
  }

  [Symbol.dispose](): void {
    this.bench[Symbol.dispose]();
    this.#open.forEach(closeFd);
  }

  #listen(): Place {
    const listener = this.keep(listen());
    return { listener, address: addressOf(listener) };
  }
}
