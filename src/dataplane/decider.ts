/**
 * Asks the rules in force about a flow that is about to get a session.
 *
 * The kernel has asked them before. But a flow may have been on its way to the proxy when other rules came
 * into force; and it is from here that a session gets the number of its rule.
 * @module
 */
import { AF_INET } from "../../ffi/consts.ts";
import { makeSockaddr } from "../../ffi/sockets/sockaddr.ts";
import { Flow } from "../policy/flow.ts";
import type { Route } from "../policy/routes/route.ts";
import { DEFAULT_RULE, NAME_NEEDED } from "../policy/policy.ts";
import type { FoundName } from "../sniff/found.ts";
import type { WorkerContext } from "./context.ts";
import { UNDECIDED } from "./shared/totals.ts";
import type { OwnAddresses } from "./sockets/own_addresses.ts";
import { DIRECT, NOWHERE } from "./upstream/table.ts";

/** A worker's way to its rules. */
export class Decider {
  readonly #context: WorkerContext;
  readonly #own: OwnAddresses | null;
  readonly #flow = new Flow();
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
  decide(protocol: number, words: Int32Array, client: number, destination: number): number {
    const rule = this.ask(protocol, words, client, destination);
    return rule === NAME_NEEDED ? UNDECIDED : rule;
  }

  /** The same, or NAME_NEEDED where the flow's name decides: {@linkcode named} goes on then. */
  ask(protocol: number, words: Int32Array, client: number, destination: number): number {
    const { policy } = this.#context;
    if (policy === null) return UNDECIDED;
    const flow = this.#flow;
    flow.protocol = protocol;
    putEnds(flow, words, client, destination);
    flow.ofRouter = this.#own !== null && this.#isOwn(words, client, this.#own);
    flow.nameAsked = false;
    return known(policy.decide(flow));
  }

  /** The rule that decides on the flow that was last asked about, by its name; one of length 0 is none. */
  named({ bytes, length }: Pick<FoundName, "bytes" | "length">): number {
    const { policy } = this.#context;
    if (policy === null) return UNDECIDED;
    const flow = this.#flow;
    flow.nameAsked = true;
    flow.nameLength = length;
    for (let i = 0; i < length; i++) flow.nameBytes[i] = bytes[i];
    return known(policy.decide(flow));
  }

  /** Tells whether UDP flows of one client may end in several ways that are not the kernel's. */
  get dividesUdp(): boolean {
    return this.#context.policy?.dividesUdp ?? false;
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
    const { policy, settings } = this.#context;
    if (policy === null || rule === UNDECIDED) return DIRECT;
    const { action, upstreams } = policy.routeFor(rule, this.#flow);
    if (action !== "proxy") return DIRECT;
    const wanted = policy.upstreams[upstreams[0]];
    const place = settings.upstreams.findIndex(({ name }) => name === wanted);
    return place < 0 ? NOWHERE : place + 1;
  }

  #isOwn(words: Int32Array, client: number, own: OwnAddresses): boolean {
    for (let word = 0; word < this.#clientWords.length; word++) {
      this.#clientWords[word] = words[client + word];
    }
    return own.has(this.#client);
  }
}

/** Returns what is known of a policy's answer. */
function known(rule: number): number {
  return rule < DEFAULT_RULE && rule !== NAME_NEEDED ? UNDECIDED : rule;
}

/** Gives a flow its ends, which are in `words` as struct sockaddr. */
export function putEnds(flow: Flow, words: Int32Array, client: number, destination: number): void {
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
