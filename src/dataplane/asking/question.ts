/**
 * A question of the kernel: the first packet of a flow, held at the end of the forward path. Pure.
 * @module
 */
import { ADDRESS_WORDS } from "../shared/columns.ts";
import { Answer } from "./answer.ts";

/** Places of the struct sockaddr in {@linkcode Question.addresses}. */
export const ASKED_CLIENT = 0;
export const ASKED_DESTINATION = ADDRESS_WORDS;

/**
 * A packet that can be sent once more: it lies in memory that does not move, and has its original addresses.
 */
export interface HeldPacket {
  /** IP's number of its protocol. */
  readonly protocol: number;
  /** The original client and destination: two struct sockaddr in 32-bit words. */
  readonly addresses: Int32Array;
  /** The memory that it lies in, and where its IP header begins. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly offset: number;
  /** Both halves of the address of that first byte. */
  readonly low: number;
  readonly high: number;
  /** The bytes from there to its end. */
  readonly length: number;
  /** The bytes from there to its TCP or UDP header. */
  readonly header: number;
}

/** One that can be sent by the way that the router's rules had chosen. */
export interface RoutedPacket extends HeldPacket {
  readonly answer: Answer;
}

/** A question. A worker has one object of it, good until the next question is read. */
export class Question implements RoutedPacket {
  protocol = 0;
  readonly addresses: Int32Array<ArrayBuffer> = new Int32Array(2 * ADDRESS_WORDS);
  /** The original client and destination, as bytes. */
  readonly client: Uint8Array<ArrayBuffer> = new Uint8Array(this.addresses.buffer, 0, ADDRESS_WORDS * 4);
  readonly destination: Uint8Array<ArrayBuffer> = new Uint8Array(
    this.addresses.buffer,
    ADDRESS_WORDS * 4,
    ADDRESS_WORDS * 4,
  );
  /** The router's part. */
  readonly answer: Answer = new Answer();
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  offset = 0;
  low = 0;
  high = 0;
  length = 0;
  header = 0;
  /** The TTL or hop limit; 0: not known, the kernel's message has another number in its place. */
  ttl = 0;
  /** UDP: where its data begin in {@linkcode bytes}, and their length. */
  data = 0;
  dataLength = 0;
  /** UDP: the end of the datagram may be missing. */
  isCut = false;
  /** The mark of its flow in conntrack, where rules tell it; as a signed number. */
  flowMark = 0;
  /** Conntrack does not see its flow. */
  isUntracked = false;
  /** TCP: the sequence number of the SYN, as a signed number. */
  sequence = 0;
}
