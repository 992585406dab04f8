/**
 * Sends held segments once more, towards their servers, as the router would have forwarded them; and resets.
 * @module
 */
import { EMSGSIZE, EPERM, IPPROTO_TCP } from "../../../ffi/consts.ts";
import { RESENT_PRIORITY } from "../../constants.ts";
import { Answer } from "../asking/answer.ts";
import { ASKED_CLIENT, ASKED_DESTINATION, type HeldPacket } from "../asking/question.ts";
import type { RouteBook } from "../routes/route_book.ts";
import { copyAddress } from "../shared/addresses.ts";
import { Parts, putLength } from "./parts.ts";
import { Reset } from "./reset.ts";
import type { Segment } from "./segment.ts";
import type { SignedSockets } from "./signed_socket.ts";
import type { Way } from "./way.ts";

/** Sizes of packets that are tried where a link takes none so large as what the kernel has joined. */
const SIZES = [1500, 1280, 576];

const IPV4_TTL = 8;
const IPV6_HOP_LIMIT = 7;

/** A worker's way for what was held. */
export class Resender implements Way {
  readonly #sockets: SignedSockets;
  readonly #routes: RouteBook;
  readonly #answer = new Answer();
  readonly #reset = new Reset();
  readonly #parts = new Parts();

  constructor(sockets: SignedSockets, routes: RouteBook) {
    this.#sockets = sockets;
    this.#routes = routes;
  }

  /** See {@linkcode Way}, as for all of these. */
  pass(segment: Segment): number {
    return this.#forward(segment, RESENT_PRIORITY.prefix);
  }

  release(segment: Segment): number {
    return this.#forward(segment, RESENT_PRIORITY.released);
  }

  refuse(segment: Segment): number {
    leaveOutData(segment);
    const { mark, addresses } = segment;
    // By no interface: the kernel would send the client's reset out there.
    const returned = this.#sockets.send(
      segment,
      mark,
      RESENT_PRIORITY.refused,
      0,
      addresses,
      ASKED_DESTINATION,
    );
    // The rule that resets drops the packet, and that is what sendmsg(2) tells.
    return returned === -EPERM ? 0 : returned;
  }

  /** Nothing: the rule that has copied it has dropped it. */
  drop(): number {
    return 0;
  }

  resetServer(segment: Segment, next: number): number {
    this.#findWay(segment);
    return this.#send(this.#reset.of(segment, next), segment.mark, RESENT_PRIORITY.prefix);
  }

  /** Has conntrack forget the flow that it takes a SYN for: sent again, the SYN begins a new one. */
  forget({ addresses }: Segment): number {
    const answer = this.#answer;
    copyAddress(addresses, ASKED_CLIENT, answer.words, answer.sourceAt);
    copyAddress(addresses, ASKED_DESTINATION, answer.words, answer.destinationAt);
    return this.#routes.forget(IPPROTO_TCP, answer.source, answer.destination);
  }

  #forward(segment: Segment, priority: number): number {
    this.#findWay(segment);
    spendHop(segment);
    const returned = this.#send(segment, segment.mark, priority);
    return returned === -EMSGSIZE ? this.#forwardParts(segment, priority) : returned;
  }

  #forwardParts(segment: Segment, priority: number): number {
    const parts = this.#parts;
    if (!parts.begin(segment)) return -EMSGSIZE;
    let size = 0;
    do {
      parts.take(SIZES[size]);
      const returned = this.#send(segment, segment.mark, parts.isLast ? priority : RESENT_PRIORITY.prefix);
      if (returned === -EMSGSIZE && size + 1 < SIZES.length) size++;
      else if (returned < 0) return returned;
      else if (!parts.next()) return 0;
    } while (true);
  }

  /**
   * Has the book find the way by which the kernel would have forwarded the segment. Where NAT changes its
   * server, nobody knows here whose way it is: the kernel finds one, as for what the router itself sends.
   */
  #findWay(segment: Segment): void {
    const answer = this.#answer;
    const { addresses, isRedirected } = segment;
    copyAddress(addresses, ASKED_CLIENT, answer.words, answer.sourceAt);
    copyAddress(addresses, ASKED_DESTINATION, answer.words, answer.destinationAt);
    answer.mark = segment.mark;
    answer.iif = segment.iif;
    answer.tos = segment.tos;
    answer.oif = 0;
    if (!isRedirected) this.#routes.choose(IPPROTO_TCP, answer.source, answer);
    this.#routes.find(IPPROTO_TCP, answer.source, answer);
  }

  /** Sends by the way that was found. */
  #send(packet: HeldPacket, mark: number, priority: number): number {
    const { oif, pin } = this.#routes;
    return this.#sockets.send(packet, mark | pin, priority, oif, packet.addresses, ASKED_DESTINATION);
  }
}

/** Counts down as a router does that forwards it. */
function spendHop({ bytes, offset, isIpv4 }: Segment): void {
  bytes[offset + (isIpv4 ? IPV4_TTL : IPV6_HOP_LIMIT)]--;
}

/** No link may take what the kernel has joined, and a reset needs the headers alone. */
function leaveOutData(segment: Segment): void {
  const { bytes, offset, data, isIpv4 } = segment;
  segment.length = data - offset;
  putLength(bytes, offset, isIpv4, segment.length);
}
