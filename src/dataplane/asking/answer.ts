/**
 * The router's answer to a question: what its forward path has made of a flow's first packet. Pure.
 * @module
 */
import { ADDRESS_WORDS } from "../shared/columns.ts";

// Places in an answer's words.
const SOURCE = 0;
const DESTINATION = ADDRESS_WORDS;
const OIF = 2 * ADDRESS_WORDS;
const IIF = OIF + 1;
const MARK = OIF + 2;
const TOS = OIF + 3;
const MSS = OIF + 4;
const FLAGS = OIF + 5;
const HARDWARE_HIGH = OIF + 6;
const HARDWARE_LOW = OIF + 7;
// Flags.
const WHOLE = 1;
const CLIENT_TO_CLIENT = 2;
/** The words of an answer, which may be copied one by one. */
export const ANSWER_WORDS = OIF + 8;

/** An answer. The object is used again for the next; whoever keeps one copies it. */
export class Answer {
  readonly words: Int32Array<ArrayBuffer> = new Int32Array(ANSWER_WORDS);
  /** The source as the router has translated it: a struct sockaddr. */
  readonly source: Uint8Array<ArrayBuffer> = new Uint8Array(this.words.buffer, SOURCE * 4, ADDRESS_WORDS * 4);
  /** The destination as the router has translated it: a struct sockaddr. */
  readonly destination: Uint8Array<ArrayBuffer> = new Uint8Array(
    this.words.buffer,
    DESTINATION * 4,
    ADDRESS_WORDS * 4,
  );
  /** Places of the two in {@linkcode words}. */
  readonly sourceAt: number = SOURCE;
  readonly destinationAt: number = DESTINATION;

  /** The interface by which the packet would have left. */
  get oif(): number {
    return this.words[OIF];
  }
  set oif(index: number) {
    this.words[OIF] = index;
  }

  /** The interface by which it came. */
  get iif(): number {
    return this.words[IIF];
  }
  set iif(index: number) {
    this.words[IIF] = index;
  }

  /** The mark that the router's rules have given it, as a signed number: SO_MARK takes it so. */
  get mark(): number {
    return this.words[MARK];
  }
  set mark(mark: number) {
    this.words[MARK] = mark;
  }

  /** TOS or traffic class, 0 to 255. */
  get tos(): number {
    return this.words[TOS];
  }
  set tos(tos: number) {
    this.words[TOS] = tos;
  }

  /** The MSS that the SYN tells; 0: none, or no TCP. */
  get mss(): number {
    return this.words[MSS];
  }
  set mss(mss: number) {
    this.words[MSS] = mss;
  }

  /** UDP: a router may not cut the datagram into fragments. */
  get whole(): boolean {
    return (this.words[FLAGS] & WHOLE) !== 0;
  }
  set whole(whole: boolean) {
    this.words[FLAGS] = whole ? this.words[FLAGS] | WHOLE : this.words[FLAGS] & ~WHOLE;
  }

  /** The flow goes from client to client. */
  get clientToClient(): boolean {
    return (this.words[FLAGS] & CLIENT_TO_CLIENT) !== 0;
  }
  set clientToClient(isSo: boolean) {
    this.words[FLAGS] = isSo ? this.words[FLAGS] | CLIENT_TO_CLIENT : this.words[FLAGS] & ~CLIENT_TO_CLIENT;
  }

  /** The client's hardware address, which stands in the packet: see policy/flow.ts. */
  get hardwareHigh(): number {
    return this.words[HARDWARE_HIGH];
  }
  set hardwareHigh(high: number) {
    this.words[HARDWARE_HIGH] = high;
  }

  /** The rest of it. */
  get hardwareLow(): number {
    return this.words[HARDWARE_LOW];
  }
  set hardwareLow(low: number) {
    this.words[HARDWARE_LOW] = low;
  }

  /** Takes over the words of another from `at` on. */
  read(words: Int32Array, at: number): void {
    for (let word = 0; word < ANSWER_WORDS; word++) this.words[word] = words[at + word];
  }

  /** Copies its words to `at`. */
  write(words: Int32Array, at: number): void {
    for (let word = 0; word < ANSWER_WORDS; word++) words[at + word] = this.words[word];
  }
}
