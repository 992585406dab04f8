/**
 * The seam between a session and the upstream proxy that its datagrams go through.
 * @module
 */
import type { Sockaddr } from "../../upstream/upstream.ts";
import type { UdpUpstream } from "./upstreams.ts";

/** The two ends of a flow. */
export interface LinkEnds {
  readonly client: Sockaddr;
  readonly destination: Sockaddr;
}

/** A session's tie to an upstream. */
export interface Link {
  readonly upstream: UdpUpstream;
  /** Destination of its datagrams: a struct sockaddr. */
  readonly relay: Int32Array;
  /** Datagrams may pass. */
  readonly isUp: boolean;
  /** Tells whether it does its work, tries to, or has not been asked to. */
  readonly isBusy: boolean;
  /** Writes what stands before a datagram of a client to a destination. The length. */
  writeHeader(bytes: Uint8Array, ends: LinkEnds): number;
  /**
   * Reads what stands before an answer of `length` bytes. `source` is the session's destination, and becomes
   * the address that the answer is from. Returns the place at which the data begins; -1: it is dropped.
   */
  readHeader(bytes: Uint8Array, length: number, source: Sockaddr): number;
}
