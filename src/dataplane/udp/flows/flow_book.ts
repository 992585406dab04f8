/**
 * Decisions on the flows of clients: a flow is a client endpoint and a server. Of each client endpoint the
 * latest are known, which is enough for those that it uses at the same time.
 * @module
 */
import { GIVEN_FLOW, GIVEN_FLOW_WORDS } from "../../handover/estate.ts";
import { copyAddress } from "../../shared/addresses.ts";
import { ClientBook } from "../../shared/client_book.ts";
import { ADDRESS_WORDS } from "../../shared/columns.ts";
import { EndpointMap } from "../endpoint_map.ts";
import { SlotLinks, SlotList } from "../slot_list.ts";

/** Of one client endpoint. */
const MAX_FLOWS = 64;
/** Of all; beyond them a client with more than an equal share loses its oldest, so that no other one does. */
export const MOST = 65_536;
const INITIAL = 16;
const NONE = -1;
const NOBODY = 0;
const FLOW_WORDS = 2 * ADDRESS_WORDS;

/** State: datagrams wait until the name is known. */
export const HELD = 0;
/** State: goes where it was meant to go. */
export const PLAIN = 1;
/** State: goes through an upstream, by a session. */
export const LED = 2;
/** State: the name is blocked, and the client is told. */
export const REFUSED = 3;
/** State: the name is blocked, silently. */
export const IGNORED = 4;

/** The flows of a worker's clients. */
export class FlowBook {
  /** HELD and others. */
  states = new Uint8Array(0);
  /** Of a flow that is LED: its session, and that one's tag. */
  slots = new Int32Array(0);
  tags = new Int32Array(0);
  /** The rule that has decided, and the generation of its policy. */
  rules = new Int32Array(0);
  generations = new Int32Array(0);
  /** The client and the server: struct sockaddr. */
  #addresses = new Int32Array(0);
  #ticks = new Int32Array(0);
  #clients = new Int32Array(0);
  /** From a client endpoint to its number. */
  readonly #numbers = new EndpointMap({ initial: INITIAL });
  /** From a client's number and a server to the flow. */
  readonly #flows = new EndpointMap({ initial: INITIAL });
  /** By the number of the client, in order of use. */
  readonly #lists: SlotList[] = [];
  readonly #freeNumbers: number[] = [];
  readonly #freeFlows: number[] = [];
  readonly #links = new SlotLinks();
  readonly #ageLinks = new SlotLinks();
  readonly #byAge = new SlotList(this.#ageLinks);
  readonly #shareLinks = new SlotLinks();
  /** Flows of each client address, in the order in which they began. */
  readonly #shares = new ClientBook(() => new SlotList(this.#shareLinks));

  /** The number of flows. */
  get size(): number {
    return this.#byAge.size;
  }

  /** The flow of a client to a server, each a struct sockaddr in `words`; -1: it is not known. */
  find(words: Int32Array, client: number, server: number): number {
    const number = this.#numbers.find(words, client, NOBODY);
    return number < 0 ? NONE : this.#flows.find(words, server, number);
  }

  /** Notes that a flow goes on. */
  touch(flow: number, tick: number): void {
    if (this.#ticks[flow] === tick) return;
    this.#ticks[flow] = tick;
    this.#byAge.touch(flow);
    this.#lists[this.#clients[flow]].touch(flow);
  }

  /** Adds a flow that is not known, in place of the oldest if need be. -1: that one waits for its name. */
  add(words: Int32Array, client: number, server: number, tick: number): number {
    let number = this.#numbers.find(words, client, NOBODY);
    const oldest = number >= 0 && this.#lists[number].size >= MAX_FLOWS
      ? this.#lists[number].first
      : this.#byAge.size >= MOST
      ? (this.#shares.unfair(this.#byAge.size) ?? this.#byAge).first
      : NONE;
    if (oldest >= 0) {
      if (this.states[oldest] === HELD) return NONE;
      this.remove(oldest);
      number = this.#numbers.find(words, client, NOBODY);
    }
    if (number < 0) {
      number = this.#freeNumbers.pop() ?? this.#lists.push(new SlotList(this.#links)) - 1;
      this.#numbers.set(words, client, NOBODY, number);
    }
    const flow = this.#freeFlows.pop() ?? this.#grow();
    copyAddress(words, client, this.#addresses, flow * FLOW_WORDS);
    copyAddress(words, server, this.#addresses, flow * FLOW_WORDS + ADDRESS_WORDS);
    this.#clients[flow] = number;
    this.#ticks[flow] = tick;
    this.states[flow] = PLAIN;
    this.#flows.set(words, server, number, flow);
    this.#lists[number].append(flow);
    this.#byAge.append(flow);
    const share = this.#shares.open(words, client);
    share.append(flow);
    this.#shares.grew(share);
    return flow;
  }

  /** Forgets a flow. */
  remove(flow: number): void {
    const number = this.#clients[flow];
    const list = this.#lists[number];
    this.#flows.delete(this.#addresses, flow * FLOW_WORDS + ADDRESS_WORDS, number);
    list.remove(flow);
    this.#byAge.remove(flow);
    this.#leaveShare(flow);
    this.#freeFlows.push(flow);
    if (list.size > 0) return;
    this.#numbers.delete(this.#addresses, flow * FLOW_WORDS, NOBODY);
    this.#freeNumbers.push(number);
  }

  /** Forgets those that were silent since before a tick. One that waits for its name is never so old. */
  expire(before: number): void {
    for (let flow = this.#byAge.first; flow >= 0 && this.#ticks[flow] < before; flow = this.#byAge.first) {
      this.remove(flow);
    }
  }

  /** Lists those that are decided on and not refused, the oldest first; `isLed`: their session lives. */
  give(tick: number, isLed: (flow: number) => boolean): Int32Array {
    const rows = new Int32Array(this.size * GIVEN_FLOW_WORDS);
    let row = 0;
    for (let flow = this.#byAge.first; flow >= 0; flow = this.#ageLinks.next[flow]) {
      const state = this.states[flow];
      if (state !== PLAIN && !(state === LED && isLed(flow))) continue;
      rows[row + GIVEN_FLOW.state] = state;
      rows[row + GIVEN_FLOW.slot] = this.slots[flow];
      rows[row + GIVEN_FLOW.rule] = this.rules[flow];
      rows[row + GIVEN_FLOW.generation] = this.generations[flow];
      rows[row + GIVEN_FLOW.age] = tick - this.#ticks[flow];
      copyAddress(this.#addresses, flow * FLOW_WORDS, rows, row + GIVEN_FLOW.client);
      copyAddress(this.#addresses, flow * FLOW_WORDS + ADDRESS_WORDS, rows, row + GIVEN_FLOW.server);
      row += GIVEN_FLOW_WORDS;
    }
    return rows.slice(0, row);
  }

  #leaveShare(flow: number): void {
    const client = flow * FLOW_WORDS;
    const share = this.#shares.find(this.#addresses, client)!;
    share.remove(flow);
    if (share.size === 0) this.#shares.close(this.#addresses, client);
  }

  #grow(): number {
    const before = this.states.length;
    const size = Math.max(INITIAL, before * 2);
    const grown = (column: Int32Array, words = 1): Int32Array<ArrayBuffer> => {
      const larger = new Int32Array(size * words);
      larger.set(column);
      return larger;
    };
    const states = new Uint8Array(size);
    states.set(this.states);
    this.states = states;
    this.slots = grown(this.slots);
    this.tags = grown(this.tags);
    this.rules = grown(this.rules);
    this.generations = grown(this.generations);
    this.#addresses = grown(this.#addresses, FLOW_WORDS);
    this.#ticks = grown(this.#ticks);
    this.#clients = grown(this.#clients);
    this.#links.grow(size);
    this.#ageLinks.grow(size);
    this.#shareLinks.grow(size);
    for (let flow = size - 1; flow > before; flow--) this.#freeFlows.push(flow);
    return before;
  }
}
