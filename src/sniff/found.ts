/**
 * Results of reading names: numbers, and the place for the name. Pure.
 *
 * A reader of streams returns NAME, NONE, or a positive number n: nothing can be said before n bytes are
 * there, counted from the first one. A reader of datagrams returns NAME, NONE or MORE.
 * @module
 */

/** The name is in the FoundName. */
export const NAME = 0;
/** No name will come of this flow. */
export const NONE = -1;
/** Another datagram is needed. */
export const MORE = 1;

/** Protocols of FoundName.protocol; 0 is none of them. */
export const TLS = 1;
export const HTTP = 2;
export const QUIC = 3;

/** More than any name has. */
const LONGEST = 255;

/** The place into which readers write; valid until the next call with it. */
export class FoundName {
  /** The canonical name: lower case, without a dot at the end. */
  readonly bytes = new Uint8Array(LONGEST);
  /** Bytes of the name; 0 where there is none. */
  length = 0;
  /** The protocol as which the flow was read, with a name or without. */
  protocol = 0;
  /** The hello holds an encrypted hello, real or GREASE; the name is the outer one. */
  encrypted = false;

  /** Forgets the last flow. */
  clear(protocol = 0): void {
    this.length = 0;
    this.protocol = protocol;
    this.encrypted = false;
  }
}
