/**
 * The policy as it is asked: first match wins. No allocation in {@linkcode Policy.decide}. Pure.
 * @module
 */
import { NameTable } from "../names/table/table.ts";
import { type Flow, PROTOCOL_NUMBERS, UNKNOWN } from "./flow.ts";
import {
  FAMILY_BITS,
  HEADER,
  NAMES_MISSING,
  NEVER_TOLD,
  type PolicyImage,
  PROTOCOL_BITS,
  RULE,
  WIDTH,
} from "./image.ts";
import { FLOW_KINDS, kindNumber } from "./routes/kinds.ts";
import { isInSet } from "./networks.ts";
import type { Route } from "./routes/route.ts";

/** No rule matches. */
export const DEFAULT_RULE = -1;
/**
 * The name decides: a rule with names may be the first that matches, and what stands behind it would end the
 * flow in another way. The name is asked for; where there is none, no such rule matches.
 */
export const NAME_NEEDED = -2;
/**
 * Nobody here can tell: the first rule that may match asks for something that the flow does not know, an
 * interface or a hardware address. {@linkcode Policy.undecided} is its number. The kernel knows both. So
 * whoever asks about a flow that the kernel has sent goes by the kernel's decision, which was the proxy;
 * nobody may take it for a match, or for none.
 */
export const UNDECIDABLE = -3;
/** Not among `intercept.families`, `.protocols` and `.ports`: as if nothing were installed. */
export const NOT_INTERCEPTED = -4;

/** A rule's answer to a flow: a number below {@linkcode FIRST_DOUBT} is certain. */
export const MATCHES = 0;
/** Its protocol is another. */
export const OTHER_PROTOCOL = 1;
/** The port is not among its ports. */
export const OTHER_PORT = 2;
/** The client is not in its networks. */
export const OTHER_CLIENT = 3;
/** The destination is not in its networks. */
export const OTHER_DESTINATION = 4;
/** The flow comes through another interface, or through none. */
export const OTHER_INTERFACE = 5;
/** The client's hardware address is another, or there is none. */
export const OTHER_HARDWARE = 6;
/** The rule has names, and the flow has none. */
export const NO_NAME = 7;
/** The rule has names, and the flow has another. */
export const OTHER_NAME = 8;
/** From here on nobody can tell yet. */
export const FIRST_DOUBT = 9;
/** The rule has names, and nobody has asked for the flow's. */
export const NAME_NOT_ASKED = 9;
/** Nobody knows through which interface the flow comes. */
export const INTERFACE_UNKNOWN = 10;
/** Nobody knows the client's hardware address. */
export const HARDWARE_UNKNOWN = 11;
/** The rule has names, and nobody has made the set of them. */
export const NAME_NOT_COMPARED = 12;

/** No effect: of no rule. */
const NO_EFFECT = -1;

const { tcp: TCP, udp: UDP } = PROTOCOL_NUMBERS;

/** A view of the policy's image, one for each thread. */
export class Policy {
  /** Number of the config that it comes from. */
  readonly generation: number;
  /** The rule that made the last answer {@linkcode UNDECIDABLE} or {@linkcode NAME_NEEDED}. */
  undecided = DEFAULT_RULE;
  readonly #tables: Int32Array;
  readonly #image: PolicyImage;
  readonly #port = new Int32Array(WIDTH.port);
  readonly #hardware = new Int32Array(WIDTH.mac);
  readonly #names: readonly NameTable[];
  readonly #dividesUdp: boolean;
  readonly #asksHardware: boolean;

  constructor(image: PolicyImage) {
    this.#image = image;
    this.#names = image.names.map((set) => new NameTable(set));
    this.#tables = new Int32Array(image.tables);
    this.generation = image.generation;
    this.#dividesUdp = this.#someRuleHas(RULE.names) ||
      image.routesByKind.some((routes, kind) =>
        FLOW_KINDS[kind].protocol === "udp" && routes.some(({ action }) => action === "proxy")
      );
    this.#asksHardware = this.#someRuleHas(RULE.mac);
  }

  /**
   * The number of the rule that decides on a flow, or one of the numbers below zero. Where several rules
   * would end the flow in the same way whatever its name is, it is the last of them.
   */
  decide(flow: Flow): number {
    if (!this.intercepts(flow)) return NOT_INTERCEPTED;
    const count = this.#tables[HEADER.rules];
    const kind = kindOf(flow);
    let waiting = NO_EFFECT;
    for (let rule = 0; rule < count; rule++) {
      const met = this.examine(rule, flow);
      if (met < FIRST_DOUBT && met !== MATCHES) continue;
      const effect = this.#tables[HEADER.size + rule * RULE.size + RULE.effects + kind];
      if (waiting === NO_EFFECT) {
        if (met === MATCHES) return rule;
        this.undecided = rule;
        if (met !== NAME_NOT_ASKED) return UNDECIDABLE;
        waiting = effect;
      } else if (effect !== waiting || (met !== MATCHES && met !== NAME_NOT_ASKED)) {
        return NAME_NEEDED;
      } else if (met === MATCHES) return rule;
    }
    if (waiting === NO_EFFECT || waiting === this.#tables[HEADER.effects + kind]) return DEFAULT_RULE;
    return NAME_NEEDED;
  }

  /**
   * Returns the way of flows that `rule`, or {@linkcode DEFAULT_RULE}, decides, if its upstreams can carry
   * them.
   */
  route(rule: number): Route {
    return rule === DEFAULT_RULE ? this.#image.otherwise : this.#image.routes[rule];
  }

  /**
   * Tells whether UDP flows that are not the kernel's may end in several ways: through an upstream, or as
   * their names say.
   */
  get dividesUdp(): boolean {
    return this.#dividesUdp;
  }

  /** Returns the way of this flow, which `rule` decides. */
  routeFor(rule: number, flow: Flow): Route {
    return this.#image.routesByKind[kindOf(flow)][rule + 1];
  }

  /** Tells whether an upstream is among the ends of a flow whose name is not known. */
  mayProxy(flow: Flow): boolean {
    return this.#wayWithoutUpstream(flow) === null;
  }

  /**
   * Tells whether a flow may be dialled before its name is known: without one it goes where its client wants,
   * and no name leads it to an upstream, whose user would not have its server see even a SYN.
   */
  dialsAhead(flow: Flow): boolean {
    const way = this.#wayWithoutUpstream(flow);
    return way !== null && way.action !== "block";
  }

  /** Tells whether some rule asks for an interface, or for a hardware address. */
  get asksInterface(): boolean {
    return this.#image.interfaces.length > 0;
  }

  /** See {@linkcode asksInterface}. */
  get asksHardware(): boolean {
    return this.#asksHardware;
  }

  /** The number of this flow's way among {@linkcode ways}. */
  wayFor(rule: number, flow: Flow): number {
    const at = rule === DEFAULT_RULE ? HEADER.effects : HEADER.size + rule * RULE.size + RULE.effects;
    return this.#tables[at + kindOf(flow)];
  }

  /** All ways that differ. */
  get ways(): readonly Route[] {
    return this.#image.ways;
  }

  /** Names of upstreams, by number. */
  get upstreams(): readonly string[] {
    return this.#image.upstreams;
  }

  /** Tells whether `intercept` speaks of such a flow at all. */
  intercepts(flow: Flow): boolean {
    const tables = this.#tables;
    const family = flow.ipv6 ? FAMILY_BITS.ipv6 : FAMILY_BITS.ipv4;
    const protocol = flow.protocol === TCP
      ? PROTOCOL_BITS.tcp
      : flow.protocol === UDP
      ? PROTOCOL_BITS.udp
      : 0;
    if ((tables[HEADER.families] & family) === 0 || (tables[HEADER.protocols] & protocol) === 0) return false;
    const ports = tables[HEADER.ports];
    return ports === 0 || this.#hasPort(ports, flow);
  }

  /**
   * Examines a rule on a flow: {@linkcode MATCHES}, or the first reason why not, or why nobody can tell.
   * Looks at known facts first: if they exclude the rule there is no doubt. Looks at the name last, which can
   * still be asked for.
   */
  examine(rule: number, flow: Flow): number {
    const tables = this.#tables;
    const record = HEADER.size + rule * RULE.size;
    const protocol = tables[record + RULE.protocol];
    if (protocol !== 0 && protocol !== flow.protocol) return OTHER_PROTOCOL;
    const ports = tables[record + RULE.ports];
    if (ports !== 0 && !this.#hasPort(ports, flow)) return OTHER_PORT;
    const width = flow.ipv6 ? WIDTH.ipv6 : WIDTH.ipv4;
    const from = tables[record + (flow.ipv6 ? RULE.from6 : RULE.from4)];
    if (from !== 0 && !isInSet(tables, from, flow.client, width)) return OTHER_CLIENT;
    const to = tables[record + (flow.ipv6 ? RULE.to6 : RULE.to4)];
    if (to !== 0 && !isInSet(tables, to, flow.destination, width)) return OTHER_DESTINATION;
    const interfaces = tables[record + RULE.interfaces];
    const through = interfaces === 0 ? MATCHES : this.#examineInterface(interfaces, flow);
    if (through === OTHER_INTERFACE) return through;
    const mac = tables[record + RULE.mac];
    const hardware = mac === 0 ? MATCHES : this.#examineHardware(mac, flow);
    if (hardware === OTHER_HARDWARE) return hardware;
    const name = this.#examineName(tables[record + RULE.names], flow);
    if (name !== MATCHES && name !== NAME_NOT_COMPARED) return name;
    return through !== MATCHES ? through : hardware !== MATCHES ? hardware : name;
  }

  /** Tells whether some rule has such a condition, by its word in the record. */
  #someRuleHas(word: number): boolean {
    return this.#image.routes.some((_, rule) => this.#tables[HEADER.size + rule * RULE.size + word] !== 0);
  }

  /** The way of a flow that no rule in doubt decides; null: one of them, or it, leads to an upstream. */
  #wayWithoutUpstream(flow: Flow): Route | null {
    const ways = this.#image.routesByKind[kindOf(flow)];
    const count = this.#tables[HEADER.rules];
    for (let rule = 0; rule < count; rule++) {
      const met = this.examine(rule, flow);
      if (met < FIRST_DOUBT && met !== MATCHES) continue;
      const way = ways[rule + 1];
      if (way.action === "proxy") return null;
      if (met === MATCHES) return way;
    }
    return ways[0].action === "proxy" ? null : ways[0];
  }

  #hasPort(ports: number, flow: Flow): boolean {
    this.#port[0] = flow.destinationPort;
    return isInSet(this.#tables, ports, this.#port, WIDTH.port);
  }

  #examineInterface(list: number, flow: Flow): number {
    if (flow.ofRouter) return OTHER_INTERFACE;
    if (flow.inputInterface === UNKNOWN) return INTERFACE_UNKNOWN;
    const tables = this.#tables;
    let met = OTHER_INTERFACE;
    for (let entry = list + tables[list]; entry > list; entry--) {
      const number = tables[tables[entry]];
      if (number === flow.inputInterface) return MATCHES;
      if (number === NEVER_TOLD) met = INTERFACE_UNKNOWN;
    }
    return met;
  }

  #examineHardware(set: number, flow: Flow): number {
    if (flow.ofRouter) return OTHER_HARDWARE;
    if (flow.hardwareHigh === UNKNOWN) return HARDWARE_UNKNOWN;
    this.#hardware[0] = flow.hardwareHigh;
    this.#hardware[1] = flow.hardwareLow;
    return isInSet(this.#tables, set, this.#hardware, WIDTH.mac) ? MATCHES : OTHER_HARDWARE;
  }

  #examineName(set: number, flow: Flow): number {
    if (set === 0) return MATCHES;
    if (!flow.nameAsked) return NAME_NOT_ASKED;
    if (flow.nameLength === 0) return NO_NAME;
    if (set === NAMES_MISSING) return NAME_NOT_COMPARED;
    return this.#names[set - 1].has(flow.nameBytes, flow.nameLength) ? MATCHES : OTHER_NAME;
  }
}

function kindOf({ protocol, ipv6 }: Flow): number {
  return kindNumber(protocol === UDP, ipv6);
}
