/**
 * Bytes that wait to be sent. Pure.
 * @module
 */
import { writeAddress, writePort } from "./wire.ts";

/** The bytes of one message, which is sent before the next is written. */
export class Outbox {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #from = 0;
  #to = 0;

  /** `size`: the longest message. */
  constructor(size: number) {
    this.#bytes = new Uint8Array(size);
  }

  /** Those that were not sent yet. */
  get rest(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(this.#from, this.#to);
  }

  /** Tells that all were sent. */
  get isEmpty(): boolean {
    return this.#from === this.#to;
  }

  /** Begins a new message. */
  clear(): void {
    this.#from = this.#to = 0;
  }

  /** Takes off so many, which were sent. */
  sent(bytes: number): void {
    this.#from += bytes;
  }

  /** Adds a byte. */
  byte(value: number): void {
    this.#bytes[this.#to++] = value;
  }

  /** Adds bytes. */
  bytes(values: Uint8Array): void {
    this.#bytes.set(values, this.#to);
    this.#to += values.length;
  }

  /** Adds characters of ASCII. */
  ascii(text: string): void {
    for (let i = 0; i < text.length; i++) this.#bytes[this.#to++] = text.charCodeAt(i);
  }

  /** Adds the address of a struct sockaddr, without its port. */
  address(sockaddr: Uint8Array): void {
    this.#to = writeAddress(this.#bytes, this.#to, sockaddr);
  }

  /** Adds the port of a struct sockaddr. */
  port(sockaddr: Uint8Array): void {
    this.#to = writePort(this.#bytes, this.#to, sockaddr);
  }
}
