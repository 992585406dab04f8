/**
 * Decides on flows of UDP whose first datagrams are held: by the name in them, or without where there is
 * none, and then for good.
 * @module
 */
import { PROTOCOL_NUMBERS } from "../../../policy/flow.ts";
import { FoundName, MORE, NAME, NONE } from "../../../sniff/found.ts";
import { QuicReader } from "../../../sniff/quic/reader.ts";
import { looksLikeInitial } from "../../../sniff/quic/header.ts";
import { ASKED_CLIENT, ASKED_DESTINATION, type Question, type RoutedPacket } from "../../asking/question.ts";
import { Shares } from "../../asking/shares.ts";
import type { WorkerContext } from "../../context.ts";
import { Decider, type Origin } from "../../decider.ts";
import { FlowPlaces, KEY_WORDS } from "../../flows/flow_places.ts";
import { ticks } from "../../loop/wheel.ts";
import { COUNTER } from "../../shared/state.ts";
import { DIRECT } from "../../upstream/table.ts";
import { Held, type Waiting } from "./held.ts";
import { KnownFlow } from "./known_flow.ts";
import type { DatagramSender } from "./sender.ts";

/** Flows of a worker that are known. */
const MOST_FLOWS = 4096;
/** Flows that wait for their name; each has a reader of 20 KB. */
const MOST_WAITING = 256;
/** The time that a name may take. */
const READING_TICKS = ticks(1000);
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

/** A flow that waits for its name. */
interface Reading extends Waiting {
  readonly place: number;
  readonly since: number;
  readonly reader: QuicReader;
  /** The flow as its first datagram told it. */
  readonly flow: KnownFlow;
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
  readonly #held = new Held();
  readonly #places = new FlowPlaces(MOST_FLOWS);
  readonly #shares = new Shares(MOST_FLOWS);
  readonly #states = new Uint8Array(MOST_FLOWS);
  readonly #times = new Float64Array(MOST_FLOWS);
  /** In the order in which they began. */
  readonly #readings = new Map<number, Reading>();
  readonly #spare: QuicReader[] = [];
  readonly #flow = new KnownFlow();
  readonly #key = new Int32Array(KEY_WORDS);

  constructor(context: WorkerContext, sender: DatagramSender) {
    this.#context = context;
    this.#counters = context.counters;
    this.#sender = sender;
    this.#decider = new Decider(context);
  }

  /** Does with a datagram what has to be done. */
  take(datagram: Question): void {
    const place = this.#find(datagram);
    if (place < 0) this.#begin(datagram);
    else if (this.#states[place] === UNDECIDED) this.#follow(this.#readings.get(place)!, datagram);
    else this.#settle(place, datagram);
  }

  /** The end of a turn: flows that have had their time are decided on without a name. */
  turn(): void {
    if (this.#readings.size === 0) return;
    for (const reading of this.#readings.values()) {
      if (this.#context.clock.tick < reading.since + READING_TICKS) return;
      this.#keyOf(reading.place);
      this.#end(reading, null);
    }
  }

  /** Milliseconds until it needs a turn, -1 for ever. */
  timeout(): number {
    if (this.#readings.size === 0) return -1;
    const [{ since }] = this.#readings.values();
    return this.#context.clock.millisecondsTo(since + READING_TICKS);
  }

  /** Forgets flows that wait for their name: their clients send again, to whoever comes after this worker. */
  forsake(): void {
    for (const { place, slots } of [...this.#readings.values()]) {
      this.#counters[COUNTER.watchDropped] += slots.length;
      this.#forget(place);
    }
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
    const isRead = decider.needsName && this.#readings.size < MOST_WAITING &&
      looksLikeInitial(bytes.subarray(data, data + dataLength), dataLength);
    const reader = isRead ? this.#spare.pop() ?? new QuicReader() : null;
    if (reader === null) {
      this.#found.clear();
      const isKnown = !decider.needsName;
      const end = isKnown ? rule : this.#ruleOf(null);
      if (this.#decide(place, this.#flow.take(datagram), end)) this.#settle(place, datagram);
      else this.#counters[COUNTER.watchDropped]++;
      return;
    }
    reader.reset();
    const reading = {
      place,
      since: this.#context.clock.tick,
      reader,
      flow: new KnownFlow().take(datagram),
      slots: [],
    };
    this.#readings.set(place, reading);
    this.#follow(reading, datagram);
  }

  /** Reads one more datagram of a flow. */
  #follow(reading: Reading, datagram: Question): void {
    const { bytes, data, dataLength } = datagram;
    const isWhole = this.#sender.canSend(datagram);
    const waits = isWhole && this.#held.add(reading, datagram);
    if (!isWhole) this.#counters[COUNTER.watchDropped]++;
    const read = waits || !isWhole
      ? reading.reader.datagram(bytes.subarray(data, data + dataLength), dataLength, this.#found)
      : NONE;
    if (read === MORE) return;
    this.#key.set(datagram.addresses);
    const { place } = reading;
    this.#end(reading, read === NAME ? this.#found : null);
    // One for which there was no room goes the way of the others.
    if (!waits && isWhole && this.#places.find(this.#key) === place) this.#settle(place, datagram);
  }

  /** Decides on a flow that has waited, and on what has waited of it. Its ends are the key. */
  #end(reading: Reading, name: FoundName | null): void {
    const { place, slots, flow } = reading;
    this.#readings.delete(place);
    this.#spare.push(reading.reader);
    if (name === null) this.#found.clear();
    if (this.#decide(place, flow, this.#ruleOf(name))) {
      for (const slot of slots) this.#obey(place, this.#held.packet(slot, this.#key));
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
    const reading = this.#readings.get(place);
    if (reading !== undefined) {
      this.#readings.delete(place);
      this.#spare.push(reading.reader);
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
