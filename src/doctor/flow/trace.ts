/**
 * The way of one flow through the router, from its first packet on: the rules of an install and of others,
 * NAT, policy routing; and how it ends.
 * @module
 */
import { ASK_PRIORITY } from "../../constants.ts";
import type { Admission, OnFailure, Source } from "../../config/types.ts";
import { PROTOCOL_NUMBERS } from "../../policy/flow.ts";
import { Marks, withBits } from "../../marks.ts";
import type { IpAddress } from "../../net/ip.ts";
import { CT_STATE } from "../../netlink/nft/expr/ct.ts";
import { type Route } from "../../netlink/route/route.ts";
import { type RouteType, routeTypeNumber } from "../../netlink/route/route_type.ts";
import type { WalkedHook } from "../firewall/packets.ts";
import { type FlowMachine, linkName, ownAddress, type RouteAnswer } from "./machine.ts";
import { decideByRules, isDeciding, type OurDecision } from "./our_rule.ts";
import { addressAt, firstPacket, type FlowPacket, type FlowQuestion } from "./packet.ts";
import { chainsFor, passChain, type PathStep } from "./pass_chains.ts";

/**
 * The end of a flow: forwarded by the kernel, relayed by the proxy, delivered to another program, received by
 * the router itself; refused (the client is told), dropped (it is not), or led nowhere by the routes.
 */
export type FlowEnd =
  | "forwarded"
  | "relayed"
  | "delivered"
  | "router"
  | "refused"
  | "dropped"
  | "unreachable";

/** A way that the routing tables give. */
export interface WayOn {
  readonly type: RouteType;
  readonly table: number;
  readonly gateway: IpAddress | null;
  readonly interface: string | null;
}

/** The trace of a flow. */
export interface FlowTrace {
  readonly end: FlowEnd;
  /** Unset where something on the way cannot be judged. */
  readonly certain: boolean;
  /** The rule or the route that ends it there; empty: the config alone. */
  readonly by: string;
  readonly input: string | null;
  /** The rule of the install; null: nothing is installed, or the flow does not come to it. */
  readonly install: OurDecision | null;
  readonly steps: readonly PathStep[];
  /** Null: it does not come so far, or goes nowhere. */
  readonly way: WayOn | null;
  /** The client as the server sees it; null: not known, or there is none. */
  readonly source: IpAddress | null;
}

/** The part of the config that a trace goes by. */
export interface TraceFacts {
  readonly mark: number;
  readonly listenerPort: number;
  readonly admission: Admission;
  readonly source: Source;
  readonly onFailure: OnFailure;
  /** Interfaces of clients alone. */
  readonly inner: readonly string[];
}

/** Follows the flow. Nothing is sent or changed. */
export function traceFlow(question: FlowQuestion, machine: FlowMachine, facts: TraceFacts): FlowTrace {
  return new Trip(question, machine, facts).trace();
}

interface Stop {
  readonly end: FlowEnd;
  readonly by: string;
}

/** The end of a flow from client to client that the proxy does not get. */
const CLIENT_TO_CLIENT =
  "from client to client: no rule that names its destination, by `to`, gives it to the proxy";
const LOCAL_TYPES: readonly RouteType[] = ["local", "broadcast", "anycast", "multicast"];

class Trip {
  readonly #machine: FlowMachine;
  readonly #facts: TraceFacts;
  readonly #marks: Marks;
  readonly #packet: FlowPacket;
  readonly #steps: PathStep[] = [];
  #install: OurDecision | null = null;
  #way: WayOn | null = null;
  #taken: Stop | undefined;
  /** The reason why nobody takes it who would have. */
  #untaken = "";
  #preferred: IpAddress | undefined;
  #natDone: string[] = [];

  constructor(question: FlowQuestion, machine: FlowMachine, facts: TraceFacts) {
    this.#machine = machine;
    this.#facts = facts;
    this.#marks = new Marks(facts.mark, { apart: facts.admission === "forward-path" });
    const found = machine.lookUp({ to: question.server.address });
    const type = "route" in found ? found.route.type : "unicast";
    this.#packet = firstPacket(question, routeTypeNumber(type));
  }

  trace(): FlowTrace {
    const { end, by } = this.#follow();
    const { input } = this.#packet;
    const isSeen = end === "forwarded" || end === "relayed";
    return {
      end,
      by,
      certain: (this.#install?.certain ?? true) && this.#steps.every(({ certain }) => certain),
      input: input?.name ?? null,
      install: this.#install,
      steps: this.#steps,
      way: this.#way,
      source: isSeen ? addressAt(this.#packet, "source") : null,
    };
  }

  #follow(): Stop {
    return this.#pass("ingress") ?? this.#pass("prerouting") ?? this.#goOn();
  }

  /** Behind prerouting: to this machine, or on. */
  #goOn(): Stop {
    const taken = this.#taken;
    if (taken?.end === "delivered") return this.#pass("input") ?? taken;
    if (taken !== undefined && this.#facts.admission === "early") {
      return this.#pass("input") ?? this.#dial(taken);
    }
    const packet = this.#packet;
    const stop = this.#route({
      to: addressAt(packet, "destination"),
      from: addressAt(packet, "source"),
      ...(packet.input === undefined ? {} : { iif: packet.input.index }),
    });
    if (stop !== undefined) return stop;
    if (LOCAL_TYPES.includes(this.#way!.type)) {
      return this.#pass("input") ?? { end: "router", by: "its destination is the router's own" };
    }
    const refused = this.#pass("forward") ?? this.#pass("postrouting");
    if (refused !== undefined) return refused;
    if (taken === undefined) return { end: "forwarded", by: this.#untaken };
    if (this.#isSpared) return { end: "forwarded", by: CLIENT_TO_CLIENT };
    return this.#facts.source === "router" ? this.#leave(taken, this.#ownAt(packet)) : taken;
  }

  /** The proxy's own connection where it has never been on the client's way: routed as the router's own. */
  #dial(taken: Stop): Stop {
    const packet = this.#packet;
    delete packet.input;
    packet.mark = 0;
    const isOwn = this.#facts.source === "router";
    const stop = this.#route({
      to: addressAt(packet, "destination"),
      ...(isOwn ? {} : { from: addressAt(packet, "source") }),
    });
    if (stop !== undefined) return stop;
    return this.#pass("output") ?? this.#leave(taken, isOwn ? this.#preferred : addressAt(packet, "source"));
  }

  /** The connection leaves, from an address of its own. */
  #leave(taken: Stop, source: IpAddress | undefined): Stop {
    const packet = this.#packet;
    delete packet.input;
    delete packet.sourcePort;
    packet.translated = 0;
    packet.ctState = CT_STATE.new;
    this.#natDone = [];
    if (source !== undefined) packet.source = { bytes: source.bytes, length: source.bytes.length * 8 };
    return this.#pass("postrouting") ?? taken;
  }

  /** Asks the routing tables; a stop where they lead nowhere. */
  #route(to: { to: IpAddress; from?: IpAddress; iif?: number }): Stop | undefined {
    const { mark, protocol, sourcePort, destinationPort } = this.#packet;
    const answer = this.#machine.lookUp({
      ...to,
      mark,
      protocol: PROTOCOL_NUMBERS[protocol],
      ...(sourcePort === undefined ? {} : { sourcePort }),
      ...(destinationPort === undefined ? {} : { destinationPort }),
    });
    if ("error" in answer) return nowhere(answer);
    const { route } = answer;
    this.#way = this.#wayOf(route);
    this.#preferred = route.preferredSource;
    const name = linkName(this.#machine, route.outLinkIndex);
    if (name !== undefined && !LOCAL_TYPES.includes(route.type)) {
      this.#packet.output = { name, index: route.outLinkIndex! };
    }
    const { type } = route;
    if (type === "blackhole") return { end: "dropped", by: `table ${route.table}: blackhole` };
    const leads = type === "unicast" || LOCAL_TYPES.includes(type);
    return leads ? undefined : { end: "unreachable", by: `table ${route.table}: ${type}` };
  }

  #wayOf({ type, table, gateway, outLinkIndex }: Route): WayOn {
    const name = linkName(this.#machine, outLinkIndex);
    return { type, table, gateway: gateway ?? null, interface: name ?? null };
  }

  /** Passes the chains of a hook; at prerouting ours stands among them. */
  #pass(hook: WalkedHook): Stop | undefined {
    const { chains, ours } = this.#machine;
    const all = ours === undefined ? chains : [...chains, ours];
    for (const of of chainsFor(all, hook, this.#packet)) {
      if (of === ours && isDeciding(of)) {
        const stop = this.#decide();
        if (stop !== undefined) return stop;
        continue;
      }
      if (hook === "postrouting" && this.#isHeld && of.chain.base!.priority > ASK_PRIORITY) break;
      if (of.chain.base!.type === "nat" && this.#natDone.includes(hook)) continue;
      const step = passChain(of, this.#packet, { hook, own: (packet) => this.#ownAt(packet) });
      this.#steps.push(step);
      if (step.translation !== null) this.#natDone.push(hook);
      if (step.verdict === "drop") {
        const by = `${step.rule ?? "its policy"}, ${step.chain}`;
        return { end: step.refuses ? "refused" : "dropped", by };
      }
    }
    return undefined;
  }

  /** Tells whether the client's packet goes no further than to the proxy's question. */
  get #isHeld(): boolean {
    return this.#taken?.end === "relayed" && this.#facts.admission === "forward-path" &&
      this.#packet.input !== undefined;
  }

  /** Tells whether the flow goes from client to client, and no rule gives it to the proxy there. */
  get #isSpared(): boolean {
    const { output } = this.#packet;
    return output !== undefined && this.#facts.inner.includes(output.name) && this.#install?.insists !== true;
  }

  /** The install's decision; a stop where it ends the flow. */
  #decide(): Stop | undefined {
    const { listenerPort, onFailure, admission } = this.#facts;
    const facts = { marks: this.#marks, listenerPort };
    this.#install = decideByRules(this.#machine.ours!, this.#packet, facts);
    const { outcome, rule } = this.#install;
    const by = rule === undefined ? "" : `the install's rule "${rule.text}" of chain ${rule.chain}`;
    switch (outcome.kind) {
      case "pass":
        return undefined;
      case "refuse":
        return { end: outcome.silently ? "dropped" : "refused", by };
      case "watch":
        return undefined;
      case "program":
      case "proxy": {
        const port = outcome.kind === "program" ? outcome.port : listenerPort;
        const { protocol, family } = this.#packet;
        if (!this.#machine.listens(protocol, family, port)) {
          const why = `nobody listens on port ${port}, on-failure: ${onFailure}`;
          if (onFailure === "open") this.#untaken = why;
          return onFailure === "open"
            ? undefined
            : { end: onFailure === "drop" ? "dropped" : "refused", by: why };
        }
        this.#taken = { end: outcome.kind === "program" ? "delivered" : "relayed", by };
        if (outcome.kind === "proxy" && admission === "forward-path") return undefined;
        this.#packet.mark = withBits(this.#packet.mark, this.#marks.intercepted);
        if (outcome.kind === "proxy") this.#packet.ctState = CT_STATE.untracked;
        return undefined;
      }
      default:
        return outcome satisfies never;
    }
  }

  #ownAt({ input, output, destination, family }: FlowPacket): IpAddress | undefined {
    if (output === undefined) {
      return input && ownAddress(this.#machine, input.index, { family, bytes: new Uint8Array(16) });
    }
    const neighbour = this.#way?.gateway ?? { family, bytes: destination!.bytes };
    return ownAddress(this.#machine, output.index, neighbour);
  }
}

/** Answers of the kernel to a question for a route, in words. */
const REFUSALS: Readonly<Record<string, Stop>> = {
  // Since Linux 6.14 the kernel answers EINVAL where it was EXDEV.
  EINVAL: { end: "dropped", by: "the kernel does not accept this source address there (rp_filter, martian)" },
  EXDEV: { end: "dropped", by: "the kernel does not accept this source address there (rp_filter)" },
  EACCES: { end: "unreachable", by: "a route prohibits it" },
  ENETUNREACH: { end: "unreachable", by: "no route leads there" },
  EHOSTUNREACH: { end: "unreachable", by: "the kernel does not forward, or a route says unreachable" },
};

function nowhere({ error }: Extract<RouteAnswer, { readonly error: unknown }>): Stop {
  return REFUSALS[error.code] ?? { end: "unreachable", by: error.message };
}
