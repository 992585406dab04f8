/**
 * Decides on flows of UDP whose first datagrams are held: by the name in them, or without where there is
 * none, and then for good.
 * @module
 */
import { PROTOCOL_NUMBERS } from "../../../policy/flow.ts";
import { FoundName, MORE, NAME, NONE } from "../../../sniff/found.ts";
import type { QuicReader } from "../../../sniff/quic/reader.ts";
import { looksLikeInitial } from "../../../sniff/quic/header.ts";
import { ASKED_CLIENT, ASKED_DESTINATION, type Question, type RoutedPacket } from "../../asking/question.ts";
import { Shares } from "../../asking/shares.ts";
import type { WorkerContext } from "../../context.ts";
import { Decider, type Origin } from "../../decider.ts";
import { FlowPlaces, KEY_WORDS } from "../../flows/flow_places.ts";
import { type FlowReading, Readings } from "../../flows/readings.ts";
import { ticks } from "../../loop/wheel.ts";
import { COUNTER } from "../../shared/state.ts";
import { DIRECT } from "../../upstream/table.ts";
import { Held, type Waiting } from "./held.ts";
import { CLIENT, KnownFlow } from "./known_flow.ts";
import type { DatagramSender } from "./sender.ts";

/** Flows of a worker that are known. */
const MOST_FLOWS = 4096;
/** Flows that wait for their name. */
export const MOST_WAITING = 256;
/** The time after which nothing is on its way any more that was when the flow was released. */
const RELEASED_TICKS = ticks(1000);
/** All others are known for as long as conntrack would know a flow without an answer. */
const KNOWN_TICKS = ticks(30_000);

const UNDECIDED = 0;
const RELEASED = 1;
const REFUSED = 2;
const SILENCED = 3;
/** Goes on as one that is released, and comes here all the same: conntrack does not see it. */
const PASSED = 4;
type Decided = typeof RELEASED | typeof REFUSED | typeof SILENCED | typeof PASSED;

const { udp: UDP } = PROTOCOL_NUMBERS;

/** A flow that waits for its name. The object is used again for the next one at its place. */
class Reading implements FlowReading, Waiting {
  /** Its number in the watcher's tables. */
  flow = 0;
  since = 0;
  reader: QuicReader | null = null;
  /** The flow as its first datagram told it. */
  readonly known = new KnownFlow();
  readonly slots: number[] = [];

  constructor(readonly place: number) {}
}

/** A worker's watcher. */
export class DatagramWatcher {
  /** The error of the last datagram that could not be sent on, as -errno; 0: there was none. */
  failure = 0;
  readonly #context: WorkerContext;
  readonly #counters: Float64Array<SharedArrayBuffer>;
  readonly #sender: DatagramSender;
  readonly #decider: Decider;
  readonly #found = new FoundName();
  readonly #held = new Held<Reading>();
  readonly #places = new FlowPlaces(MOST_FLOWS);
  readonly #shares = new Shares(MOST_FLOWS);
  readonly #states = new Uint8Array(MOST_FLOWS);
  readonly #times = new Float64Array(MOST_FLOWS);
  readonly #readings: Readings<Reading>;
  /** By their place. */
  readonly #objects: (Reading | undefined)[] = [];
  readonly #flow = new KnownFlow();
  readonly #key = new Int32Array(KEY_WORDS);

  constructor(context: WorkerContext, sender: DatagramSender) {
    this.#context = context;
    this.#counters = context.counters;
    this.#sender = sender;
    this.#decider = new Decider(context);
    this.#readings = new Readings(context.clock, MOST_WAITING);
  }

  /** Does with a datagram what has to be done. */
  take(datagram: Question): void {
    const place = this.#find(datagram);
    if (place < 0) this.#begin(datagram);
    else if (this.#states[place] === UNDECIDED) this.#follow(this.#readings.of(place)!, datagram);
    else this.#settle(place, datagram);
  }

  /** The end of a turn: flows that have had their time are decided on without a name. */
  turn(): void {
    if (this.#readings.size === 0) return;
    for (const reading of this.#readings.values()) {
      if (!this.#readings.isDue(reading)) return;
      this.#keyOf(reading.flow);
      this.#end(reading, null);
    }
  }

  /** Milliseconds until it needs a turn, -1 for ever. */
  timeout(): number {
    return this.#readings.timeout();
  }

  /** Forgets flows that wait for their name: their clients send again, to whoever comes after this worker. */
  forsake(): void {
    for (const { flow } of this.#readings.values()) this.#forget(flow);
  }

  /** The place of the datagram's flow; -1: it is a new one. */
  #find({ addresses }: Question): number {
    const place = this.#places.find(addresses);
    if (place < 0) return place;
    const state = this.#states[place];
    const life = state === RELEASED ? RELEASED_TICKS : KNOWN_TICKS;
    if (state === UNDECIDED || this.#context.clock.tick < this.#times[place] + life) return place;
    this.#forget(place);
    return -1;
  }

  #begin(datagram: Question): void {
    const { addresses, bytes, data, dataLength } = datagram;
    this.#counters[COUNTER.watched]++;
    const decider = this.#decider;
    const rule = decider.decide(UDP, addresses, ASKED_CLIENT, ASKED_DESTINATION, originOf(datagram));
    this.#key.set(addresses);
    const place = this.#open();
    const isRead = decider.needsName && looksLikeInitial(bytes.subarray(data, data + dataLength), dataLength);
    if (isRead) return this.#follow(this.#read(place, datagram), datagram);
    this.#found.clear();
    const end = decider.needsName ? this.#ruleOf(null) : rule;
    if (this.#decide(place, this.#flow.take(datagram), end)) this.#settle(place, datagram);
    else this.#counters[COUNTER.watchDropped]++;
  }

  /**
   * Has a flow wait for its name. Where too many wait, one is forgotten: its client sends its first datagram
   * again. None goes on without its name for that: somebody could have so many wait that the rules would not
   * apply to the others.
   */
  #read(flow: number, datagram: Question): Reading {
    const readings = this.#readings;
    if (readings.isFull) this.#forget(readings.victim()!.flow);
    const place = readings.open();
    const reading = this.#objects[place] ??= new Reading(place);
    reading.flow = flow;
    reading.since = this.#context.clock.tick;
    reading.reader = readings.readerAt(place);
    reading.known.take(datagram);
    readings.add(reading, reading.known.ends, CLIENT);
    return reading;
  }

  /** Reads one more datagram of a flow. */
  #follow(reading: Reading, datagram: Question): void {
    const { bytes, data, dataLength } = datagram;
    const isWhole = this.#sender.canSend(datagram);
    if (!isWhole) this.#counters[COUNTER.watchDropped]++;
    const waits = isWhole && this.#held.takes(reading, datagram);
    if (waits && !this.#hold(reading, datagram)) return;
    const read = waits || !isWhole
      ? reading.reader!.datagram(bytes.subarray(data, data + dataLength), dataLength, this.#found)
      : NONE;
    if (read === MORE) return;
    this.#key.set(datagram.addresses);
    const { flow } = reading;
    this.#end(reading, read === NAME ? this.#found : null);
    // One for which there was no room goes the way of the others.
    if (!waits && isWhole && this.#places.find(this.#key) === flow) this.#settle(flow, datagram);
  }

  /** Has a datagram wait, for which another flow may have to be forgotten. False: it is this one. */
  #hold(reading: Reading, datagram: Question): boolean {
    const held = this.#held;
    const victim = held.isFull ? held.victim() : null;
    if (victim !== null) this.#forget(victim.flow);
    if (victim !== reading) held.add(reading, datagram);
    else this.#counters[COUNTER.watchDropped]++;
    return victim !== reading;
  }

  /** Decides on a flow that has waited, and on what has waited of it. Its ends are the key. */
  #end(reading: Reading, name: FoundName | null): void {
    const { flow, slots, known } = reading;
    this.#readings.remove(reading, known.ends, CLIENT);
    if (name === null) this.#found.clear();
    if (this.#decide(flow, known, this.#ruleOf(name))) {
      for (const slot of slots) this.#obey(flow, this.#held.packet(slot, this.#key));
    } else this.#counters[COUNTER.watchDropped] += slots.length;
    this.#held.clear(reading);
  }

  #ruleOf(name: FoundName | null): number {
    return this.#decider.decideNamed(UDP, this.#key, ASKED_CLIENT, ASKED_DESTINATION, name);
  }

  /** Has the rule decide on the flow. False: it is forgotten, and its client's next datagram asks again. */
  #decide(place: number, flow: KnownFlow, rule: number): boolean {
    const blocking = this.#decider.blocking(rule);
    if (blocking !== null) {
      const { turnedAway, clock } = this.#context;
      turnedAway.udp.blocked(this.#key, ASKED_CLIENT, ASKED_DESTINATION, rule, this.#found, clock.time);
      this.#note(place, blocking.silent ? SILENCED : REFUSED);
      return true;
    }
    // Rules that have come into force meanwhile lead it to an upstream: the kernel's follow at once.
    const isElsewhere = this.#context.policy !== null && this.#decider.route(rule) !== DIRECT;
    const told = isElsewhere ? 0 : this.#sender.tell(flow);
    if (told < 0) this.failure = told;
    if (isElsewhere || told < 0) {
      this.#forget(place);
      return false;
    }
    this.#note(place, flow.isUntracked ? PASSED : RELEASED);
    return true;
  }

  /** Does with a datagram that has not waited what was decided on its flow. */
  #settle(place: number, datagram: Question): void {
    const state = this.#states[place];
    const isSent = state === RELEASED || state === PASSED;
    if (isSent && !this.#sender.canSend(datagram)) this.#counters[COUNTER.watchDropped]++;
    else this.#obey(place, datagram);
  }

  /** Does with a packet what was decided on its flow. */
  #obey(place: number, packet: RoutedPacket): void {
    const sender = this.#sender;
    const state = this.#states[place];
    if (state !== RELEASED) this.#times[place] = this.#context.clock.tick;
    if (state === RELEASED || state === PASSED) {
      const returned = sender.send(packet);
      this.#counters[returned < 0 ? COUNTER.watchDropped : COUNTER.watchReleased]++;
      if (returned < 0) this.failure = returned;
      return;
    }
    this.#counters[COUNTER.watchRefused]++;
    const returned = state === REFUSED ? sender.refuse(packet) : 0;
    if (returned < 0) this.failure = returned;
  }

  #note(place: number, state: Decided): void {
    this.#states[place] = state;
    this.#times[place] = this.#context.clock.tick;
  }

  /** Gives the flow whose ends are the key a place. */
  #open(): number {
    if (this.#shares.size === MOST_FLOWS) this.#forget(this.#shares.victim());
    const place = this.#places.add(this.#key);
    this.#shares.add(place, this.#key, ASKED_CLIENT);
    this.#note(place, RELEASED);
    this.#states[place] = UNDECIDED;
    return place;
  }

  #forget(place: number): void {
    const reading = this.#readings.of(place);
    if (reading !== undefined) {
      this.#counters[COUNTER.watchDropped] += reading.slots.length;
      this.#readings.remove(reading, reading.known.ends, CLIENT);
      this.#held.clear(reading);
    }
    this.#shares.remove(place, this.#places.keys, place * KEY_WORDS + ASKED_CLIENT);
    this.#places.remove(place);
  }

  #keyOf(place: number): void {
    const { keys } = this.#places;
    for (let word = 0; word < KEY_WORDS; word++) this.#key[word] = keys[place * KEY_WORDS + word];
  }
}

function originOf({ answer: { iif, hardwareHigh, hardwareLow } }: Question): Origin {
  return { inputInterface: iif, hardwareHigh, hardwareLow };
}
