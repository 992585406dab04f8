/**
 * Sends held datagrams on, as the router would have, or has the kernel refuse them.
 * @module
 */
import { EMSGSIZE, EPERM, IPPROTO_UDP } from "../../../../ffi/consts.ts";
import { RESENT_PRIORITY } from "../../../constants.ts";
import { ASKED_CLIENT, type Question, type RoutedPacket } from "../../asking/question.ts";
import type { RouteBook } from "../../routes/route_book.ts";
import { ADDRESS_WORDS } from "../../shared/columns.ts";
import { copyAddress } from "../../shared/addresses.ts";
import type { SignedSockets } from "../signed_socket.ts";
import { isTrain } from "../../udp/asked/train.ts";
import { Fragments } from "./fragments.ts";
import type { KnownFlow } from "./known_flow.ts";
import type { Teller } from "./teller.ts";

/** Sizes of fragments that are tried, as links take no larger ones. */
const SIZES_IPV4 = [1500, 1280, 576];
/** Every link takes them; no router on the way may make them smaller. */
const SIZES_IPV6 = [1280];

/** A way for what was held. Each call returns 0 or more, or -errno. */
export interface DatagramSender {
  /** Has the kernel know the flow, which it forwards from then on. */
  tell(flow: KnownFlow): number;
  /** Tells whether it is the client's datagram. Else its client repeats it: it can be read alone. */
  canSend(datagram: Question): boolean;
  /** Sends one on, by the way and with the mark of the router's rules, which have counted the hop already. */
  send(packet: RoutedPacket): number;
  /** Has the client told that nobody takes it. */
  refuse(packet: RoutedPacket): number;
}

/** Things that it sends by, which are the caller's to close. */
export interface SenderParts {
  readonly signed: SignedSockets;
  readonly routes: RouteBook;
  readonly teller: Teller;
}

/** A worker's. */
export class RawSender implements DatagramSender {
  readonly #sockets: SignedSockets;
  readonly #routes: RouteBook;
  readonly #teller: Teller;
  readonly #fragments = new Fragments(crypto.getRandomValues(new Int32Array(1))[0]);
  readonly #clientWords = new Int32Array(ADDRESS_WORDS);
  readonly #client = new Uint8Array(this.#clientWords.buffer);

  constructor({ signed, routes, teller }: SenderParts) {
    this.#sockets = signed;
    this.#routes = routes;
    this.#teller = teller;
  }

  /** See {@linkcode DatagramSender}. */
  tell(flow: KnownFlow): number {
    return this.#teller.tell(flow);
  }

  /** See {@linkcode DatagramSender}. */
  canSend(datagram: Question): boolean {
    return !datagram.isCut && !isTrain(datagram);
  }

  /** See {@linkcode DatagramSender}. */
  send(packet: RoutedPacket): number {
    return this.#send(packet, RESENT_PRIORITY.released);
  }

  /** See {@linkcode DatagramSender}. */
  refuse(packet: RoutedPacket): number {
    const returned = this.#send(packet, RESENT_PRIORITY.refused);
    // The rule that refuses drops the packet, and that is what sendmsg(2) tells.
    return returned === -EPERM ? 0 : returned;
  }

  #send(packet: RoutedPacket, priority: number): number {
    const { addresses, answer } = packet;
    const routes = this.#routes;
    copyAddress(addresses, ASKED_CLIENT, this.#clientWords, 0);
    routes.find(IPPROTO_UDP, this.#client, answer);
    const returned = this.#sockets.send(
      packet,
      answer.mark | routes.pin,
      priority,
      routes.oif,
      answer.words,
      answer.destinationAt,
    );
    return returned === -EMSGSIZE ? this.#sendFragments(packet) : returned;
  }

  #sendFragments(packet: RoutedPacket): number {
    const fragments = this.#fragments;
    const { words, destinationAt } = packet.answer;
    if (!fragments.begin(packet)) return -EMSGSIZE;
    const sizes = packet.bytes[packet.offset] >> 4 === 4 ? SIZES_IPV4 : SIZES_IPV6;
    let size = 0;
    do {
      fragments.take(sizes[size]);
      const returned = this.#sockets.sendFragment(packet, fragments, words, destinationAt);
      if (returned === -EMSGSIZE && size + 1 < sizes.length) size++;
      else if (returned < 0) return returned;
      else if (!fragments.next()) return 0;
    } while (true);
  }
}
