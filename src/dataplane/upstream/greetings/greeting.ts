/**
 * The talk with an upstream proxy before bytes may pass: bytes in, bytes out. Pure.
 * @module
 */
// Whose fault it is that a connection has not come about.

/** Nobody's: it has come about, or was not wanted any more. */
export const NOBODY = 0;
/** The upstream's, which cannot be reached, or does not do its work: another one may do better. */
export const UPSTREAM = 1;
/** The configuration's: our credentials are wrong, or the upstream asks for some. */
export const CONFIGURATION = 2;
/** The destination's, which the upstream has not reached: no other upstream need be tried. */
export const TARGET = 3;
/** The upstream's rules', which do not allow this destination. */
export const POLICY = 4;

/** User name and password, each 1 to 255 bytes. */
export interface Credentials {
  readonly username: Uint8Array;
  readonly password: Uint8Array;
}

/** The flow that a proxy is asked to carry. Addresses are struct sockaddr. */
export interface Target {
  readonly client: Uint8Array<ArrayBuffer>;
  readonly destination: Uint8Array<ArrayBuffer>;
  /** The destination's name; null: not known. */
  readonly name: string | null;
}

/** A talk. Its object is used again for the next connection. */
export interface Greeting {
  /** Begins a talk about this flow. */
  begin(target: Target): void;
  /** To be sent; empty: it waits, or is done. */
  readonly output: Uint8Array<ArrayBuffer>;
  /** Takes so many bytes off the output, which were sent. */
  sent(bytes: number): void;
  /**
   * Reads all that the other side has said and nobody has taken: the first `length` of `bytes`. The number of
   * bytes that are the talk's own and are to be taken; 0: more is needed; -errno: it is over, see
   * {@linkcode blame}. The errno is what the client would have met without a proxy.
   */
  input(bytes: Uint8Array, length: number): number;
  /** Nothing is left to be said: bytes may pass. */
  readonly done: boolean;
  /** The number of whose fault it is that the talk has failed. */
  readonly blame: number;
  /** The number of whose fault it is if the other side says nothing more. */
  readonly awaited: number;
  /** Words of the other side that made it fail, for a log. */
  readonly refusal: string;
}

/** The most that an answer may be: the head of an HTTP response. */
export const MOST_ANSWER = 16384;
