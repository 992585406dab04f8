/**
 * Names of live sessions. Pure.
 * @module
 */

/** Protocols by number. */
export const PROTOCOLS = ["tcp", "udp"] as const;
/** The number of TCP. */
export const TCP = 0;
/** The number of UDP. */
export const UDP = 1;

/** The transport protocol of a session. */
export type SessionProtocol = typeof PROTOCOLS[number];

/** Names a live session, for as long as it lives. */
export interface SessionKey {
  /** Number of its worker. */
  readonly worker: number;
  readonly protocol: SessionProtocol;
  readonly slot: number;
  readonly tag: number;
}
