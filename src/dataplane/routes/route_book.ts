/**
 * The ways by which the router would have forwarded flows: what is dialled leaves by them.
 *
 * The kernel is asked twice: where the client's packet goes, and where ours would. Where that is another
 * interface or gateway, the socket is bound to the interface, and a routing rule of our own leads it to the
 * routing table that the client's packet was looked up in.
 * @module
 */
import { NETLINK_ROUTE, SO_BINDTOIFINDEX, SO_MARK, SOL_SOCKET } from "../../../ffi/consts.ts";
import { addressAt, addressLength, sameHost } from "../../../ffi/sockets/sockaddr.ts";
import { getInt, setInt } from "../../../ffi/sockets/sockopt.ts";
import type { Answer } from "../asking/answer.ts";
import type { WorkerContext } from "../context.ts";
import { TICK_MS } from "../loop/wheel.ts";
import type { Sockaddr } from "../upstream/upstream.ts";
import { KnownWays, UNKNOWN_WAY } from "./known_ways.ts";
import { NetlinkSocket } from "./netlink_socket.ts";
import { Passage } from "./passage.ts";
import { Pins } from "./pins.ts";
import type { RouteBoard } from "./route_board.ts";
import { RouteQuestion } from "./route_question.ts";

/** Ways that no notification tells of change within it. */
const KNOWN_TICKS = 3000 / TICK_MS;

// Ways of a flow.
const PLAIN = 1;
const BOUND = 2;
const PINNED = 3;

/** A worker's book. */
export class RouteBook {
  /** The interface that a socket is bound to, as {@linkcode find} has found it; 0: none. */
  oif = 0;
  /** The bits that its mark has besides. */
  pin = 0;
  readonly #context: WorkerContext;
  readonly #board: RouteBoard;
  readonly #known = new KnownWays(KNOWN_TICKS);
  readonly #flowBytes = new Uint8Array(this.#known.flow.buffer);
  readonly #socket = new NetlinkSocket({ protocol: NETLINK_ROUTE, privileged: false });
  readonly #question = new RouteQuestion(this.#socket);
  readonly #pins: Pins;
  readonly #passage = new Passage(this.#question);
  #generation = 0;
  #saidOneArm = false;

  constructor(context: WorkerContext) {
    this.#context = context;
    this.#board = context.shared.routes;
    this.#pins = new Pins(this.#board);
  }

  /** Opens what it asks through. 0 or -errno. */
  start(): number {
    const opened = Math.min(this.#socket.open(), this.#pins.start());
    return opened < 0 ? opened : this.#passage.start();
  }

  /**
   * Makes a socket leave by the way that the answer names, before bind(2) and connect(2); its SO_MARK is set
   * already. `protocol`: IPPROTO_TCP or IPPROTO_UDP. `client`: the original one. 0, or -errno. No system call
   * where routing is simple.
   */
  prepare(fd: number, protocol: number, client: Sockaddr, answer: Answer): number {
    const way = this.#wayOf(protocol, client, answer.source, answer);
    if (way === PLAIN) return 0;
    if (way === PINNED) {
      const marked = setInt(fd, SOL_SOCKET, SO_MARK, getInt(fd, SOL_SOCKET, SO_MARK) | this.#board.mark);
      if (marked < 0) return marked;
    }
    return setInt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, answer.oif);
  }

  /**
   * Finds out how a held packet leaves by the way that the answer names, with the client's own address:
   * {@linkcode oif} and {@linkcode pin} tell it. No system call where routing is simple.
   */
  find(protocol: number, client: Sockaddr, answer: Answer): void {
    const way = this.#wayOf(protocol, client, client, answer);
    this.oif = way === PLAIN ? 0 : answer.oif;
    this.pin = way === PINNED ? this.#board.mark : 0;
  }

  /**
   * Has the answer name the way of a packet that is held before it was routed: by the interface that the
   * kernel would forward it to; none where routing is simple.
   */
  choose(protocol: number, client: Sockaddr, answer: Answer): void {
    answer.oif = 0;
    if (this.#board.generation === 0) return;
    const question = this.#question;
    question.mark = answer.mark;
    question.tos = answer.tos;
    question.protocol = protocol;
    question.byPort = this.#board.byPort;
    if (question.ask(client, answer.destination, answer.iif, 0) >= 0) answer.oif = question.oif;
  }

  /** `source`: the address that it is sent from. */
  #wayOf(protocol: number, client: Sockaddr, source: Sockaddr, answer: Answer): number {
    const { generation } = this.#board;
    if (generation === 0 || answer.oif === 0) return PLAIN;
    if (generation !== this.#generation) {
      this.#generation = generation;
      this.#known.forget();
      this.#pins.forget();
    }
    const { byPort } = this.#board;
    const { tick } = this.#context.clock;
    this.#describe(client, source, answer, protocol, byPort);
    let way = this.#known.find(tick);
    if (way === UNKNOWN_WAY) {
      this.#question.protocol = protocol;
      this.#question.byPort = byPort;
      way = this.#find(client, source, answer);
      this.#known.keep(tick, way);
    }
    return way;
  }

  /**
   * Sees to it that rules of output which drop new flows, or send them elsewhere, let the first packet of a
   * socket to the answer's destination pass. Just before connect(2), or before a datagram is sent to it for
   * the first time. No system call where there are no such rules. `protocol`: IPPROTO_TCP or IPPROTO_UDP.
   */
  openPassage(fd: number, protocol: number, answer: Answer): void {
    // Without it, the dial fails by itself as the administrator's rules have it.
    if (!this.#board.outputDrops) return;
    const question = this.#question;
    question.mark = answer.mark;
    question.tos = answer.tos;
    question.protocol = protocol;
    question.byPort = false;
    this.#passage.open(fd, protocol, answer.destination, answer.oif);
  }

  /** See {@linkcode Passage.forget}. */
  forget(protocol: number, source: Sockaddr, destination: Sockaddr): number {
    return this.#passage.forget(protocol, source, destination);
  }

  /**
   * Tells whether answers of the server would go to the client past us: the packet leaves by the interface
   * that it came by, with the client's address. Those of another client would pass for what that one sends.
   */
  passesUsBy(client: Sockaddr, answer: Answer): boolean {
    if (answer.clientToClient && sameHost(answer.source, client)) return true;
    if (answer.oif !== answer.iif || answer.oif === 0 || !sameHost(answer.source, client)) return false;
    if (!this.#saidOneArm) {
      this.#saidOneArm = true;
      this.#context.log.info(
        "flows leave by the interface that they come by: they are dialled with the router's own address",
        { interface: answer.oif },
      );
    }
    return true;
  }

  /** Closes what it asks through. */
  close(): void {
    this.#socket.close();
    this.#pins.close();
    this.#passage.close();
  }

  /** Writes the flow as ways are known by it. */
  #describe(client: Sockaddr, source: Sockaddr, answer: Answer, protocol: number, byPort: boolean): void {
    const { flow } = this.#known;
    const bytes = this.#flowBytes;
    const { destination } = answer;
    const at = addressAt(destination[0]);
    const length = addressLength(destination[0]);
    flow.fill(0);
    for (let i = 0; i < length; i++) {
      bytes[i] = client[at + i];
      bytes[16 + i] = source[at + i];
      bytes[32 + i] = destination[at + i];
    }
    flow[12] = destination[0] | (answer.tos << 8) | (protocol << 16);
    flow[13] = answer.mark;
    flow[14] = answer.iif;
    flow[15] = answer.oif;
    if (!byPort) return;
    bytes[64] = client[2];
    bytes[65] = client[3];
    bytes[66] = destination[2];
    bytes[67] = destination[3];
    bytes[68] = source[2];
    bytes[69] = source[3];
  }

  #find(client: Sockaddr, source: Sockaddr, answer: Answer): number {
    const question = this.#question;
    const { destination, oif, iif } = answer;
    question.mark = answer.mark;
    question.tos = answer.tos;
    let asked = question.ask(client, destination, iif, 0);
    if (asked < 0 || question.oif !== oif) {
      // The mark may have come after the way was chosen.
      question.mark = 0;
      asked = question.ask(client, destination, iif, 0);
    }
    // Where the kernel chooses among several ways, it may have chosen another for this flow.
    const sure = asked >= 0 && question.oif === oif;
    const { table, gateway } = question;
    question.mark = answer.mark;
    if (this.#leadsThere(source, destination, sure, gateway, oif)) return PLAIN;
    if (asked < 0 || table === 0 || this.#board.mark === 0) return BOUND;
    // Without a route the kernel takes the server for a neighbour on an interface that a socket is bound to.
    const bound = question.ask(null, destination, 0, oif);
    if (sure && bound >= 0 && question.gateway === gateway) return BOUND;
    return this.#pins.ensure(destination[0], oif, table) < 0 ? BOUND : PINNED;
  }

  /** Tells whether an ordinary socket of ours would leave the same way. */
  #leadsThere(
    source: Sockaddr,
    destination: Sockaddr,
    sure: boolean,
    gateway: number,
    oif: number,
  ): boolean {
    const question = this.#question;
    let asked = question.ask(source, destination, 0, 0);
    // IPv4 answers so for an address that is not its own. As if it came in by lo: the same rules.
    if (asked < 0) asked = question.ask(source, destination, LOOPBACK_INDEX, 0);
    return asked >= 0 && question.oif === oif && (!sure || question.gateway === gateway);
  }
}

/** The interface index of lo, in every network namespace. */
const LOOPBACK_INDEX = 1;
