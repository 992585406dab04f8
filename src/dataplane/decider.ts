/**
 * Asks the rules in force about a flow that is about to get a session.
 *
 * The kernel has asked them before. But a flow may have been on its way to the proxy when other rules came
 * into force; and it is from here that a session gets the number of its rule.
 * @module
 */
import { AF_INET } from "../../ffi/consts.ts";
import { makeSockaddr } from "../../ffi/sockets/sockaddr.ts";
import { Flow, UNKNOWN } from "../policy/flow.ts";
import type { Route } from "../policy/routes/route.ts";
import { DEFAULT_RULE, NAME_NEEDED, UNDECIDABLE } from "../policy/policy.ts";
import type { FoundName } from "../sniff/found.ts";
import type { WorkerContext } from "./context.ts";
import { UNDECIDED } from "./shared/totals.ts";
import type { OwnAddresses } from "./sockets/own_addresses.ts";
import { DIRECT, NOWHERE } from "./upstream/table.ts";

/** Facts of a flow that its addresses do not tell: see {@linkcode Flow}. */
export interface Origin {
  readonly inputInterface: number;
  readonly hardwareHigh: number;
  readonly hardwareLow: number;
}

const NO_ORIGIN: Origin = { inputInterface: UNKNOWN, hardwareHigh: UNKNOWN, hardwareLow: 0 };

/** A worker's way to its rules. */
export class Decider {
  readonly #context: WorkerContext;
  readonly #own: OwnAddresses | null;
  readonly #flow = new Flow();
  /** The policy's own number for the flow that was last decided on. */
  #answer = UNDECIDED;
  readonly #client = makeSockaddr();
  readonly #clientWords = new Int32Array(this.#client.buffer);

  /** `own`: null where no client is a program on the router itself. */
  constructor(context: WorkerContext, own: OwnAddresses | null = null) {
    this.#context = context;
    this.#own = own;
  }

  /**
   * The number of the rule that decides, DEFAULT_RULE, or UNDECIDED where there is nothing to ask or nobody
   * here can tell: then the kernel has decided, and has sent the flow. `protocol` is IP's number; `client`
   * and `destination` are where in `words` their struct sockaddr begin.
   */
  decide(
    protocol: number,
    words: Int32Array,
    client: number,
    destination: number,
    origin: Origin = NO_ORIGIN,
  ): number {
    if (this.#context.policy === null) return UNDECIDED;
    this.#flow.nameAsked = false;
    return this.#decide(protocol, words, client, destination, origin);
  }

  /** Decides when the name of a flow is known; null: it has none. */
  decideNamed(
    protocol: number,
    words: Int32Array,
    client: number,
    destination: number,
    name: FoundName | null,
    origin: Origin = NO_ORIGIN,
  ): number {
    if (this.#context.policy === null) return UNDECIDED;
    const flow = this.#flow;
    flow.nameAsked = true;
    flow.nameLength = name === null ? 0 : name.length;
    for (let i = 0; i < flow.nameLength; i++) flow.nameBytes[i] = name!.bytes[i];
    return this.#decide(protocol, words, client, destination, origin);
  }

  /** Tells whether the name of the flow that was last decided on decides. */
  get needsName(): boolean {
    return this.#context.policy !== null && this.#answer === NAME_NEEDED;
  }

  /** Tells whether UDP flows of one client may end in several ways that are not the kernel's. */
  get dividesUdp(): boolean {
    return this.#context.policy?.dividesUdp ?? false;
  }

  /** Tells whether that flow may be dialled before its name is known. */
  get dialsAhead(): boolean {
    return this.#context.policy!.dialsAhead(this.#flow);
  }

  #decide(protocol: number, words: Int32Array, client: number, destination: number, origin: Origin): number {
    const flow = this.#flow;
    flow.protocol = protocol;
    flow.inputInterface = origin.inputInterface;
    flow.hardwareHigh = origin.hardwareHigh;
    flow.hardwareLow = origin.hardwareLow;
    putEnds(flow, words, client, destination);
    flow.ofRouter = this.#own !== null && this.#isOwn(words, client, this.#own);
    this.#answer = this.#context.policy!.decide(flow);
    return this.#answer < DEFAULT_RULE ? UNDECIDED : this.#answer;
  }

  /** The route of a rule that blocks the flow that was last decided on; null: it does not. */
  blocking(rule: number): Route | null {
    const { policy } = this.#context;
    if (policy === null || rule === UNDECIDED) return null;
    const route = policy.routeFor(rule, this.#flow);
    return route.action === "block" ? route : null;
  }

  /** The route of the flow that was last decided on, which `rule` decides: see upstream/table.ts. */
  route(rule: number): number {
    const { policy } = this.#context;
    if (policy === null) return DIRECT;
    // What may have to go to an upstream goes nowhere rather than past it.
    if (rule === UNDECIDED) {
      return this.#answer === UNDECIDABLE && policy.mayProxy(this.#flow) ? NOWHERE : DIRECT;
    }
    const way = policy.wayFor(rule, this.#flow);
    return policy.ways[way].action === "proxy" ? way + 1 : DIRECT;
  }

  #isOwn(words: Int32Array, client: number, own: OwnAddresses): boolean {
    for (let word = 0; word < this.#clientWords.length; word++) {
      this.#clientWords[word] = words[client + word];
    }
    return own.has(this.#client);
  }
}

/** Gives a flow its ends, which are in `words` as struct sockaddr. */
function putEnds(flow: Flow, words: Int32Array, client: number, destination: number): void {
  flow.ipv6 = (words[client] & 0xffff) !== AF_INET;
  readAddress(words, client, flow.client);
  readAddress(words, destination, flow.destination);
  flow.destinationPort = swap(words[destination] >>> 16) >>> 16;
}

/** Copies the address of the struct sockaddr at `at`, out of network order. */
function readAddress(words: Int32Array, at: number, to: Int32Array): void {
  if ((words[at] & 0xffff) === AF_INET) {
    to[0] = swap(words[at + 1]);
    return;
  }
  for (let word = 0; word < 4; word++) to[word] = swap(words[at + 2 + word]);
}

/** Turns the bytes of a word round: all machines that this runs on are little-endian. */
function swap(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}
