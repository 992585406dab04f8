/**
 * An upstream that is no proxy: the flow's own server, by an interface, a mark or a source of its own. Which
 * route a packet finds there is the business of the router's rules.
 * @module
 */
import { ECANCELED, ECONNREFUSED, EINPROGRESS } from "../../../ffi/consts.ts";
import { closeFd, connectSocket } from "../../../ffi/sockets/socket.ts";
import { bindToDevice } from "../../../ffi/sockets/sockopt.ts";
import type { Source } from "../../config/upstreams/types.ts";
import type { Answer } from "../asking/answer.ts";
import type { WorkerContext } from "../context.ts";
import { COUNTER } from "../shared/state.ts";
import type { RouterTraffic } from "../sockets/own_addresses.ts";
import { SourceAddress } from "../sockets/source.ts";
import { bindOutgoing, openUnbound } from "../sockets/transparent.ts";
import { prepareAnswered } from "./answered.ts";
import { UPSTREAM } from "./greetings/greeting.ts";
import type { MemberUpstream } from "./group.ts";
import { UP } from "./health.ts";
import type { OwnWay, UpstreamSettings } from "./settings.ts";
import { UpstreamTrouble } from "./trouble.ts";
import type { Call, Sockaddr } from "./upstream.ts";

/** Dials by a way. */
export class WayConnector {
  readonly #mark: OwnWay["mark"];
  readonly #device: Uint8Array<ArrayBuffer> | null;

  constructor({ mark, interface: device }: Pick<OwnWay, "mark" | "interface">) {
    this.#mark = mark;
    this.#device = device === null ? null : new TextEncoder().encode(device);
  }

  /**
   * A socket whose connect(2) has begun, or -errno. `from`: null for where the kernel likes; `answer`: what
   * the router has made of the flow's first packet, null where it was not asked; `mark`: bits of ours.
   */
  connect(destination: Sockaddr, from: Sockaddr | null, answer: Answer | null, mark: number): number {
    const family = destination[0];
    const fd = openUnbound(family, this.#marked(answer === null ? 0 : answer.mark) | mark);
    if (fd < 0) return fd;
    // NAT of sources was done for another way, and will be for this one.
    if (answer !== null) prepareAnswered(fd, family, answer, false);
    let returned = this.#device === null ? 0 : bindToDevice(fd, this.#device);
    if (returned >= 0 && from !== null) returned = bindOutgoing(fd, family, from);
    if (returned >= 0) returned = connectSocket(fd, destination);
    if (returned >= 0 || returned === -EINPROGRESS) return fd;
    closeFd(fd);
    return returned;
  }

  #marked(mark: number): number {
    return this.#mark === null ? mark : (mark & ~this.#mark.mask) | this.#mark.value;
  }
}

/**
 * The upstream. A call's `choice` is 0 once it is dialled, as there is one address. Only checks find it down:
 * what a dial meets is more often its server's fault.
 */
export class OwnWayUpstream implements MemberUpstream {
  readonly name: string;
  readonly wantsName = false;
  readonly settings: UpstreamSettings;
  readonly #context: WorkerContext;
  readonly #way: OwnWay;
  readonly #connector: WayConnector;
  readonly #source: SourceAddress;
  readonly #trouble: UpstreamTrouble;
  readonly #number: number;

  /** `router`: null where no client is a program on the router itself. `number`: see {@linkcode carrier}. */
  constructor(
    context: WorkerContext,
    settings: UpstreamSettings,
    router: RouterTraffic | null,
    number: number,
  ) {
    const { name, protocol } = settings;
    if (protocol.type !== "direct") throw new TypeError(`${name} is a proxy`);
    this.name = name;
    this.settings = settings;
    this.#context = context;
    this.#way = protocol;
    this.#connector = new WayConnector(protocol);
    this.#source = new SourceAddress(router);
    this.#trouble = new UpstreamTrouble(context, name);
    this.#number = number;
  }

  /** See {@linkcode MemberUpstream}. */
  get isUp(): boolean {
    return this.#context.health.state(this.settings.place) === UP;
  }

  /** See {@linkcode Upstream}. */
  isDirect(): boolean {
    return true;
  }

  /** See {@linkcode Upstream}. */
  carrier(): number {
    return this.#number;
  }

  /** See {@linkcode Upstream}. */
  dial(call: Call): number {
    if (call.choice >= 0) return -ECONNREFUSED;
    call.choice = 0;
    const { health, clock, counters } = this.#context;
    const source = this.#source;
    health.used(this.settings.place, clock.time);
    const from = source.choose(call.client, this.#sourceFor(call));
    let fd = this.#connect(call, from);
    if (fd < 0 && source.changePort(fd)) {
      counters[COUNTER.portChanged]++;
      fd = this.#connect(call, from);
    }
    if (fd >= 0) health.addConnections(this.settings.place, 1);
    else this.#trouble.note(-fd, UPSTREAM, "");
    return fd;
  }

  /** See {@linkcode MemberUpstream}. */
  addressesLeft(): number {
    return 1;
  }

  /** See {@linkcode Upstream}. */
  patience({ spentTicks }: Call): number {
    return Math.max(1, this.#context.settings.connectTicks - spentTicks);
  }

  /** See {@linkcode Upstream}. */
  greeting(): null {
    return null;
  }

  /** See {@linkcode Upstream}. */
  settled(call: Call, errno: number): void {
    if (errno !== 0) this.ended();
    // It may be dialled anew.
    if (errno === ECANCELED) call.choice = -1;
  }

  /** See {@linkcode Upstream}. */
  ended(): void {
    this.#context.health.addConnections(this.settings.place, -1);
  }

  /**
   * The client's port is for a first dial that nobody was asked about. The client's SYNs that ask, and dials
   * before, have the same addresses, and an entry in conntrack: with NAT, the two would be taken for one.
   */
  #sourceFor({ answer, attempt, spentTicks }: Call): Source {
    const { source } = this.#way;
    const isAlone = answer === null && attempt === 0 && spentTicks === 0;
    return source === "client" && !isAlone ? "client-address" : source;
  }

  #connect({ destination, answer }: Call, from: Sockaddr | null): number {
    const to = answer === null ? destination : answer.destination;
    return this.#connector.connect(to, from, answer, this.#source.mark);
  }
}
