/**
 * The seam between a connection and what it is connected to.
 * @module
 */
import type { Answer } from "../asking/answer.ts";

/** An address in C's layout, 32 bytes. */
export type Sockaddr = Uint8Array<ArrayBuffer>;

/**
 * A connection as an upstream sees it; a Session is one. It is valid from {@linkcode Upstream.dial} to
 * {@linkcode Upstream.settled}.
 */
export interface Call {
  readonly client: Sockaddr;
  /** The original one. */
  readonly destination: Sockaddr;
  /** The router's answer to the question of its first packet; null: none was asked. */
  readonly answer: Answer | null;
  /** From TLS, HTTP or QUIC; null: not known. */
  readonly name: string | null;
  /** Tells that the client has sent something which waits for the upstream. */
  readonly hasSent: boolean;
  /** 0 for the first address, one more for each that has failed. */
  readonly attempt: number;
  /** The upstream's own note. */
  choice: number;
}

/** Answer of `dial` where the socket comes later, after `TcpSessions.resume`. No errno has this number. */
export const PENDING = -4096;

/** The other end of connections. Nothing in it throws, or waits. */
export interface Upstream {
  readonly name: string;
  /**
   * Dials an address that it has not tried for this call. A socket whose connect(2) has begun, PENDING, or
   * -errno: no address is left.
   */
  dial(call: Call): number;
  /** Gives what must be said before bytes may pass: nothing yet. */
  greeting(call: Call): null;
  /**
   * Takes note of how the dial has ended: 0, or an errno. ECANCELED says nothing of the upstream: the
   * connection is not wanted any more. Called once for each dial that has not failed at once; the call is no
   * longer the upstream's then.
   */
  settled(call: Call, errno: number): void;
}
