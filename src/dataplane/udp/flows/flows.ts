/**
 * Leads the flows of clients where rules may send them apart: each flow, which is a client endpoint and a
 * server, is decided on once, by its name where that matters.
 *
 * ```
 * first datagram ─► rule ─────────────────────► plain: as without upstreams
 *                    └► a QUIC Initial: held ─┬► led: by a session with an upstream
 *                                             └► refused
 * ```
 *
 * Where rules cannot do that nothing is kept, and every datagram is plain.
 * @module
 */
import { PROTOCOL_NUMBERS } from "../../../policy/flow.ts";
import { MORE } from "../../../sniff/found.ts";
import { looksLikeInitial } from "../../../sniff/quic/header.ts";
import type { WorkerContext } from "../../context.ts";
import type { Decider } from "../../decider.ts";
import { GIVEN_FLOW, GIVEN_FLOW_WORDS } from "../../handover/estate.ts";
import { sooner } from "../../loop/loop.ts";
import { COUNTER } from "../../shared/state.ts";
import type { RouterTraffic } from "../../sockets/own_addresses.ts";
import type { OwnWay } from "../../upstream/settings.ts";
import { copyAddress } from "../../shared/addresses.ts";
import { makeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { embedsIpv4 } from "../../sockets/embedded.ts";
import { DIRECT } from "../../upstream/table.ts";
import type { WaitingAnswers } from "../asked/answers.ts";
import { BLOCKED_DATAGRAM, LOST_DATAGRAM, type UdpSessions } from "../sessions.ts";
import type { UdpTable } from "../table.ts";
import { WayDial } from "../upstreams/own_way.ts";
import { Forwarding } from "../upstreams/forwarding.ts";
import type { Links } from "../upstreams/links.ts";
import { type UdpUpstream, UdpUpstreams } from "../upstreams/upstreams.ts";
import { FlowBook, HELD, IGNORED, LED, PLAIN, REFUSED } from "./flow_book.ts";
import { type Arrival, HELD_DESTINATION, type HeldDatagram, type HeldQueue } from "./held.ts";
import { NameReadings, type Reading, type ReadingEnd } from "./name_readings.ts";
import { Origins } from "./origins.ts";

/** Parts of the leading. */
export interface FlowParts {
  readonly table: UdpTable;
  readonly sessions: UdpSessions;
  readonly decider: Decider;
  readonly links: Links;
  /** null: flows come without having asked the router. */
  readonly answers: WaitingAnswers | null;
  /** null where no client is a program on the router itself. */
  readonly router: RouterTraffic | null;
}

const { udp: UDP } = PROTOCOL_NUMBERS;

/** The two ends of a flow: where in the words their struct sockaddr begin. */
interface Ends {
  readonly words: Int32Array;
  readonly client: number;
  readonly destination: number;
}

type Decision = Pick<ReadingEnd, "rule" | "route">;

/** A least time for which a flow is known, in ticks. */
const LEAST_LIFE = 100;

/** The flows of a worker. */
export class UdpFlows {
  readonly #context: WorkerContext;
  readonly #parts: FlowParts;
  readonly #counters: Float64Array<SharedArrayBuffer>;
  readonly #book = new FlowBook();
  readonly #upstreams: UdpUpstreams;
  readonly #readings: NameReadings;
  readonly #origins: Origins;
  readonly #ways: WayDial;
  readonly #ends = { client: makeSockaddr(), destination: makeSockaddr() };
  readonly #clientWords = new Int32Array(this.#ends.client.buffer);
  readonly #destinationWords = new Int32Array(this.#ends.destination.buffer);
  /** Readings that are over, and whose datagrams may go on. */
  readonly #done: Reading[] = [];
  /** The name of the flow whose datagrams are being released, for a session that begins with them. */
  #name: Uint8Array | null = null;
  readonly #late = (reading: Reading): void => this.#finish(reading);

  constructor(context: WorkerContext, parts: FlowParts) {
    this.#context = context;
    this.#parts = parts;
    this.#counters = context.counters;
    this.#upstreams = new UdpUpstreams(context);
    this.#readings = new NameReadings(context.clock);
    this.#ways = new WayDial(parts.router);
    this.#origins = new Origins(context, parts.answers);
  }

  /**
   * The session by which a datagram goes on, which may write over its destination; or LOST_DATAGRAM, also
   * where it waits, or BLOCKED_DATAGRAM.
   */
  lead(arrival: Arrival): number {
    const { sessions, decider } = this.#parts;
    const { batch, i, destination } = arrival;
    const { words } = batch;
    const client = batch.name(i);
    const isDivided = decider.dividesUdp;
    if (!isDivided && this.#book.size === 0) return sessions.use(words, client, destination);
    const flow = this.#find(words, client, destination);
    if (flow >= 0) return this.#follow(flow, arrival);
    return isDivided ? this.#decide(arrival) : sessions.use(words, client, destination);
  }

  /** The end of a turn. Gives `release` the datagrams that may go on. */
  turn(release: (queue: HeldQueue) => void): void {
    const { tick } = this.#context.clock;
    const { idleTicks, dnsTicks } = this.#context.settings.udp;
    this.#readings.expire(this.#late);
    for (let i = 0; i < this.#done.length; i++) this.#release(this.#done[i], release);
    this.#done.length = 0;
    this.#book.expire(tick - Math.max(idleTicks, dnsTicks, LEAST_LIFE));
    this.#parts.links.associations.turn(release);
  }

  /** Milliseconds until it needs a turn, -1 for ever. */
  timeout(): number {
    return sooner(this.#readings.timeout(), this.#parts.links.associations.timeout());
  }

  /**
   * Forgets those that wait for their name. Returns their datagrams; none where the router was asked about
   * them: sent again, they ask whoever comes after this worker.
   */
  forsake(): HeldDatagram[] {
    const readings = this.#readings.all();
    const datagrams = this.#parts.answers === null
      ? readings.flatMap(({ queue }) => [...queue.datagrams])
      : [];
    for (const reading of readings) this.#drop(reading);
    this.#counters[COUNTER.udpDropped] -= datagrams.length;
    this.#done.length = 0;
    return datagrams;
  }

  /** Describes the flows for another process: see {@linkcode FlowBook.give}. */
  give(): Int32Array {
    return this.#book.give(this.#context.clock.tick, (flow) => this.#isLed(flow));
  }

  /** Takes over those of another process. `heirOf` tells what has become of a session. */
  inherit(rows: Int32Array, heirOf: (slot: number) => { slot: number; tag: number } | undefined): void {
    const book = this.#book;
    const { tick } = this.#context.clock;
    for (let row = 0; row + GIVEN_FLOW_WORDS <= rows.length; row += GIVEN_FLOW_WORDS) {
      const isLed = rows[row + GIVEN_FLOW.state] === LED;
      const heir = isLed ? heirOf(rows[row + GIVEN_FLOW.slot]) : undefined;
      if (isLed && heir === undefined) continue;
      const [client, server] = [row + GIVEN_FLOW.client, row + GIVEN_FLOW.server];
      const flow = book.add(rows, client, server, tick - rows[row + GIVEN_FLOW.age]);
      if (flow < 0) continue;
      book.states[flow] = rows[row + GIVEN_FLOW.state];
      book.rules[flow] = rows[row + GIVEN_FLOW.rule];
      book.generations[flow] = rows[row + GIVEN_FLOW.generation];
      book.slots[flow] = heir?.slot ?? 0;
      book.tags[flow] = heir?.tag ?? 0;
    }
  }

  /** The upstream of a name; undefined: there is none that takes over what another process has begun. */
  upstreamNamed(name: string, isAssociation: boolean): UdpUpstream | undefined {
    const upstream = this.#upstreams.named(name);
    const isSocks = upstream?.settings.protocol.type === "socks5";
    return isSocks === isAssociation ? upstream : undefined;
  }

  /** The flow, if it goes on as it was decided; else it is decided on once more. */
  #find(words: Int32Array, client: number, destination: number): number {
    const book = this.#book;
    const flow = book.find(words, client, destination);
    if (flow < 0 || !this.#isOver(flow, words, client)) return flow;
    book.remove(flow);
    return -1;
  }

  /** Tells whether other rules may decide on a flow: nothing is left of what the rules before have begun. */
  #isOver(flow: number, words: Int32Array, client: number): boolean {
    const { states, generations } = this.#book;
    if (states[flow] === HELD || generations[flow] === this.#generation) return false;
    return states[flow] === PLAIN
      ? this.#parts.table.find(words, client) < 0
      : states[flow] !== LED || !this.#isLed(flow);
  }

  #isLed(flow: number): boolean {
    const { slots, tags } = this.#book;
    return tags[flow] !== 0 && this.#parts.table.tags[slots[flow]] === tags[flow];
  }

  #follow(flow: number, arrival: Arrival): number {
    const { sessions } = this.#parts;
    const { batch, i, destination } = arrival;
    const { words } = batch;
    const client = batch.name(i);
    const book = this.#book;
    book.touch(flow, this.#context.clock.tick);
    switch (book.states[flow]) {
      case HELD:
        this.#wait(this.#readings.of(flow)!, arrival);
        return LOST_DATAGRAM;
      case PLAIN:
        return sessions.use(words, client, destination, book.rules[flow], this.#name);
      case LED:
        return this.#followLed(flow, arrival);
      default:
        return this.#refuse(words, client, destination, book.states[flow] === IGNORED);
    }
  }

  /** Its session goes on, unless it has ended, or its upstream has failed it. */
  #followLed(flow: number, arrival: Arrival): number {
    const { sessions, links } = this.#parts;
    const { batch: { words }, destination } = arrival;
    const client = arrival.batch.name(arrival.i);
    const book = this.#book;
    const isLed = this.#isLed(flow);
    const failed = isLed ? links.failedOf(book.slots[flow]) : null;
    // Rules of other numbers are in force since a reload: the flow keeps its upstream.
    const mayChange = book.generations[flow] === this.#generation;
    if (!isLed || (failed !== null && mayChange)) {
      const led = this.#leadAnew(flow, { words, client, destination }, failed);
      if (led === BLOCKED_DATAGRAM) return this.#refuse(words, client, destination, false);
      if (led < 0) return led;
      if (book.states[flow] === PLAIN) return this.#follow(flow, arrival);
    }
    sessions.useLed(book.slots[flow], words, client, destination);
    return book.slots[flow];
  }

  /** Leads a flow by the rule that has decided on it: its name is not asked for again. */
  #leadAnew(flow: number, ends: Ends, failed: UdpUpstream | null): number {
    const { decider } = this.#parts;
    const rule = this.#book.rules[flow];
    decider.decide(UDP, ends.words, ends.client, ends.destination); // of what kind the flow is
    return this.#settle(flow, { rule, route: decider.route(rule) }, ends, failed);
  }

  #decide(arrival: Arrival): number {
    const { decider } = this.#parts;
    const { batch, i, destination } = arrival;
    const { words } = batch;
    const client = batch.name(i);
    if (embedsIpv4(words, destination)) {
      this.#counters[COUNTER.udpDropped]++;
      return LOST_DATAGRAM;
    }
    const origins = this.#origins;
    origins.learn(words, client, destination);
    let rule = decider.decide(UDP, words, client, destination, origins);
    const isNameless = decider.needsName;
    if (isNameless) {
      if (this.#mayHaveName(arrival)) {
        this.#hold(arrival);
        return LOST_DATAGRAM;
      }
      rule = decider.decideNamed(UDP, words, client, destination, null, origins);
    }
    const blocking = decider.blocking(rule);
    if (blocking !== null) {
      if (isNameless) this.#noteBlocked({ words, client, destination }, rule, blocking.silent);
      return this.#refuse(words, client, destination, blocking.silent);
    }
    const flow = this.#book.add(words, client, destination, this.#context.clock.tick);
    if (flow < 0) {
      this.#counters[COUNTER.udpDropped]++;
      return LOST_DATAGRAM;
    }
    const led = this.#settle(flow, { rule, route: decider.route(rule) }, { words, client, destination });
    if (led >= 0) return this.#follow(flow, arrival);
    this.#book.remove(flow);
    return led === BLOCKED_DATAGRAM ? this.#refuse(words, client, destination, false) : led;
  }

  /** The kernel could not know of a flow that it is blocked. It is known from here on, and noted once. */
  #noteBlocked({ words, client, destination }: Ends, rule: number, isSilent: boolean): void {
    const { turnedAway, clock } = this.#context;
    const { found } = this.#readings;
    found.clear();
    turnedAway.udp.blocked(words, client, destination, rule, found, clock.time);
    const book = this.#book;
    const flow = book.add(words, client, destination, clock.tick);
    if (flow < 0) return;
    book.states[flow] = isSilent ? IGNORED : REFUSED;
    book.generations[flow] = this.#generation;
  }

  #mayHaveName({ batch, i, segmentSize }: Arrival): boolean {
    const at = batch.dataOffset(i);
    const length = segmentSize > 0 ? segmentSize : batch.length(i);
    return looksLikeInitial(batch.bytes.subarray(at, at + length), length);
  }

  /**
   * Has a flow wait for its name. Where too many wait, one of them is forgotten, or this one is: its client
   * sends its first datagram again. None of them goes on without its name for that: somebody could make so
   * many wait that the rules would not apply to the others.
   */
  #hold(arrival: Arrival): void {
    const { batch, i, destination } = arrival;
    const book = this.#book;
    const victim = this.#readings.victim();
    if (victim !== undefined) this.#drop(victim);
    const flow = book.add(batch.words, batch.name(i), destination, this.#context.clock.tick);
    const reading = flow < 0 ? undefined : this.#readings.begin(flow, arrival, this.#origins);
    if (reading === undefined) {
      if (flow >= 0) book.remove(flow);
      this.#counters[COUNTER.udpDropped]++;
      return;
    }
    book.states[flow] = HELD;
    if (this.#readings.read(reading) !== MORE) this.#finish(reading);
  }

  #drop(reading: Reading): void {
    const { flow, queue } = reading;
    this.#readings.end(reading);
    this.#counters[COUNTER.udpDropped] += queue.datagrams.length;
    queue.clear();
    this.#book.remove(flow);
  }

  #wait(reading: Reading, arrival: Arrival): void {
    if (reading.end !== null) {
      if (!reading.queue.add(arrival)) this.#counters[COUNTER.udpDropped]++;
    } else if (this.#readings.take(reading, arrival) !== MORE) this.#finish(reading);
  }

  /** The name of a flow was found, or will not be: from here on it is known which rule decides. */
  #finish(reading: Reading): void {
    const { words } = reading.queue.datagrams[0];
    const { decider } = this.#parts;
    const { found } = this.#readings;
    const rule = decider.decideNamed(UDP, words, 0, HELD_DESTINATION, found, reading.origin);
    const blocking = decider.blocking(rule);
    const { turnedAway, clock } = this.#context;
    if (blocking !== null) turnedAway.udp.blocked(words, 0, HELD_DESTINATION, rule, found, clock.time);
    const name = found.bytes.slice(0, found.length);
    reading.end = { rule, blocking, route: decider.route(rule), name };
    this.#done.push(reading);
  }

  #release(reading: Reading, release: (queue: HeldQueue) => void): void {
    const { links, sessions } = this.#parts;
    const { flow, queue } = reading;
    const book = this.#book;
    const { rule, blocking, route, name } = reading.end!;
    const { words } = queue.datagrams[0];
    this.#readings.end(reading);
    const place = { words, client: 0, destination: HELD_DESTINATION };
    this.#name = name;
    const led = blocking === null ? this.#settle(flow, { rule, route }, place) : BLOCKED_DATAGRAM;
    if (led >= 0) release(queue);
    this.#name = null;
    if (led >= 0) return;
    book.states[flow] = blocking?.silent ? IGNORED : REFUSED;
    book.generations[flow] = this.#generation;
    sessions.ignoreAnswer(words, 0, HELD_DESTINATION);
    if (blocking?.silent || led === LOST_DATAGRAM) {
      this.#counters[COUNTER.udpRefused] += queue.datagrams.length;
      queue.clear();
    } else links.refuse(queue);
    if (blocking === null) book.remove(flow);
  }

  /** Settles how a flow goes on that is not blocked. Negative: no session can lead it. */
  #settle(
    flow: number,
    { rule, route }: Decision,
    ends: Ends,
    failed: UdpUpstream | null = null,
  ): number {
    const { table } = this.#parts;
    const book = this.#book;
    book.rules[flow] = rule;
    book.generations[flow] = this.#generation;
    const upstream = route === DIRECT ? null : this.#upstreams.choose(route, ends.words, ends.client, failed);
    if (upstream === undefined) return BLOCKED_DATAGRAM;
    book.states[flow] = PLAIN;
    if (upstream === null) return 0;
    book.states[flow] = LED;
    book.tags[flow] = 0; // nothing leads it yet
    let slot = this.#leadBy(upstream, rule, ends);
    if (slot === BLOCKED_DATAGRAM) {
      const other = this.#upstreams.choose(route, ends.words, ends.client, upstream);
      if (other && other !== upstream) slot = this.#leadBy(other, rule, ends);
    }
    if (slot < 0) return slot;
    book.slots[flow] = slot;
    book.tags[flow] = table.tags[slot];
    return slot;
  }

  /** The session of a client with an upstream, opened if need be. */
  #leadBy(upstream: UdpUpstream, rule: number, { words, client, destination }: Ends): number {
    const { sessions, links, router } = this.#parts;
    const name = this.#name;
    const { protocol } = upstream.settings;
    switch (protocol.type) {
      case "socks5": {
        const owner = upstream.number;
        const present = this.#parts.table.find(words, client, owner);
        if (present >= 0) return present;
        const slot = sessions.openLed(words, client, destination, { rule, name, owner, open: null });
        if (slot >= 0) links.associate(slot, upstream, protocol);
        return slot;
      }
      case "forward": {
        // The first version of the header cannot say that it is UDP.
        if (protocol.header === 1) return BLOCKED_DATAGRAM;
        const forwarding = new Forwarding(upstream, protocol.header === 2);
        const open = () => forwarding.open(words, destination, router === null ? 0 : router.mark);
        const slot = sessions.openLed(words, client, destination, { rule, name, open });
        if (slot >= 0) links.attach(slot, forwarding);
        return slot;
      }
      case "direct":
        return this.#leadByWay(upstream, protocol, rule, { words, client, destination });
      case "http-connect":
        return BLOCKED_DATAGRAM; // the kernel refuses it; this one was on its way
      default:
        return protocol satisfies never;
    }
  }

  /** Its session to its own server; where there is no such way, its client is told at once. */
  #leadByWay(upstream: UdpUpstream, way: OwnWay, rule: number, { words, client, destination }: Ends): number {
    const { sessions, links, answers } = this.#parts;
    const ends = this.#ends;
    copyAddress(words, client, this.#clientWords, 0);
    copyAddress(words, destination, this.#destinationWords, 0);
    const answer = answers?.look(words, client, destination) ? answers.answer : null;
    const link = new Forwarding(upstream, false);
    let returned = 0;
    const open = () => returned = this.#ways.open(way, ends, answer, link.relayAddress);
    const slot = sessions.openLed(words, client, destination, { rule, name: this.#name, open });
    if (slot >= 0) links.attach(slot, link);
    if (returned >= 0) return slot;
    upstream.troubled(-returned);
    return BLOCKED_DATAGRAM;
  }

  #refuse(words: Int32Array, client: number, destination: number, isSilent: boolean): number {
    this.#parts.sessions.ignoreAnswer(words, client, destination);
    this.#counters[COUNTER.udpRefused]++;
    return isSilent ? LOST_DATAGRAM : BLOCKED_DATAGRAM;
  }

  get #generation(): number {
    return this.#context.policy?.generation ?? 0;
  }
}
