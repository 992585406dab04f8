/**
 * Tells conntrack of flows whose first datagrams have been held: of what has left this machine alone it knows
 * itself. So what is sent on is translated as the router has decided, and its firewalls know the flow.
 * @module
 */
import { AF_INET, IPPROTO_UDP, NETLINK_NETFILTER } from "../../../../ffi/consts.ts";
import { FLOW_LABEL } from "../../../constants.ts";
import { EEXIST } from "../../../net/errno.ts";
import {
  DIRECTION,
  FLOW,
  FLOW_IP,
  FLOW_PROTOCOL,
  FLOW_STATUS,
  labelBytes,
  NEW_FLOW,
  TRANSLATION,
} from "../../../netlink/flow.ts";
import { NetlinkSocket } from "../../routes/netlink_socket.ts";
import { NetlinkWriter, NLM_F_ACK, NLM_F_CREATE_NEW } from "../../routes/netlink_writer.ts";
import { ADDRESS_WORDS } from "../../shared/columns.ts";
import { CLIENT, DESTINATION, DESTINATION_THERE, type KnownFlow, SOURCE_THERE } from "./known_flow.ts";

/** Time for the first datagram to follow, which gives the flow what the router has for such. */
const SECONDS = 30;
const MESSAGE_SIZE = 512;
const FAMILY_HEADER = 4; // struct nfgenmsg
const LABELS = labelBytes(FLOW_LABEL.released);
/** The port's place in a struct sockaddr. */
const PORT_AT = 2;
/** The same of the address, and what conntrack's attributes of it are. */
const IPV4 = {
  at: 4,
  size: 4,
  source: FLOW_IP.source4,
  destination: FLOW_IP.destination4,
  first: TRANSLATION.first4,
  last: TRANSLATION.last4,
};
const IPV6 = {
  at: 8,
  size: 16,
  source: FLOW_IP.source6,
  destination: FLOW_IP.destination6,
  first: TRANSLATION.first6,
  last: TRANSLATION.last6,
};

/** A worker's way to conntrack. */
export class Teller {
  readonly #socket = new NetlinkSocket({ protocol: NETLINK_NETFILTER, privileged: true });
  readonly #writer = new NetlinkWriter(MESSAGE_SIZE);
  #field: { readonly [Key in keyof typeof IPV4]: number } = IPV4;
  #bytes = new Uint8Array(0);

  /** Opens it. 0 or -errno. */
  start(): number {
    return this.#socket.open();
  }

  /** Tells of the flow. 0, also where it is known already, or -errno. */
  tell(flow: KnownFlow): number {
    this.#write(flow);
    const returned = this.#socket.ask(this.#writer);
    return returned === -EEXIST ? 0 : returned;
  }

  /** Closes it. */
  close(): void {
    this.#socket.close();
  }

  #write({ ends, mark }: KnownFlow): void {
    const writer = this.#writer;
    const family = ends[CLIENT] & 0xffff;
    this.#field = family === AF_INET ? IPV4 : IPV6;
    this.#bytes = new Uint8Array(ends.buffer);
    writer.begin(NEW_FLOW, NLM_F_ACK | NLM_F_CREATE_NEW, FAMILY_HEADER, family);
    this.#direction(FLOW.original, CLIENT, DESTINATION);
    // Without NAT: what follows changes it.
    this.#direction(FLOW.reply, DESTINATION, CLIENT);
    if (differ(ends, CLIENT, SOURCE_THERE)) this.#translation(FLOW.natSource, SOURCE_THERE);
    if (differ(ends, DESTINATION, DESTINATION_THERE)) {
      this.#translation(FLOW.natDestination, DESTINATION_THERE);
    }
    // As answered: rules that let pass what is known let pass what is sent on.
    writer.u32be(FLOW.status, FLOW_STATUS.confirmed | FLOW_STATUS.answered);
    writer.u32be(FLOW.timeout, SECONDS);
    // What cannot be sent on its client repeats, and that goes its way.
    writer.copy(FLOW.labels, LABELS, 0, LABELS.length);
    if (mark !== 0) writer.u32be(FLOW.mark, mark);
    writer.end();
  }

  #direction(type: number, from: number, to: number): void {
    const writer = this.#writer;
    const { at, size, source, destination } = this.#field;
    const whole = writer.beginNest(type);
    const ip = writer.beginNest(DIRECTION.ip);
    writer.copy(source, this.#bytes, from * 4 + at, size);
    writer.copy(destination, this.#bytes, to * 4 + at, size);
    writer.endNest(ip);
    const protocol = writer.beginNest(DIRECTION.protocol);
    writer.u8(FLOW_PROTOCOL.number, IPPROTO_UDP);
    writer.copy(FLOW_PROTOCOL.sourcePort, this.#bytes, from * 4 + PORT_AT, 2);
    writer.copy(FLOW_PROTOCOL.destinationPort, this.#bytes, to * 4 + PORT_AT, 2);
    writer.endNest(protocol);
    writer.endNest(whole);
  }

  #translation(type: number, to: number): void {
    const writer = this.#writer;
    const { at, size, first, last } = this.#field;
    const whole = writer.beginNest(type);
    writer.copy(first, this.#bytes, to * 4 + at, size);
    writer.copy(last, this.#bytes, to * 4 + at, size);
    const ports = writer.beginNest(TRANSLATION.ports);
    writer.copy(TRANSLATION.firstPort, this.#bytes, to * 4 + PORT_AT, 2);
    writer.copy(TRANSLATION.lastPort, this.#bytes, to * 4 + PORT_AT, 2);
    writer.endNest(ports);
    writer.endNest(whole);
  }
}

function differ(ends: Int32Array, one: number, other: number): boolean {
  for (let word = 0; word < ADDRESS_WORDS; word++) if (ends[one + word] !== ends[other + word]) return true;
  return false;
}
