/**
 * The seam between a connection and what it is connected to.
 * @module
 */
import type { Answer } from "../asking/answer.ts";
import type { Greeting, Target } from "./greetings/greeting.ts";

/** An address in C's layout, 32 bytes. */
export type Sockaddr = Uint8Array<ArrayBuffer>;

/**
 * A connection as an upstream sees it; a Session is one. It is valid from {@linkcode Upstream.dial} to
 * {@linkcode Upstream.settled}. Its destination is the original one, its name from TLS, HTTP or QUIC.
 */
export interface Call extends Target {
  /** The router's answer to the question of its first packet; null: none was asked. */
  readonly answer: Answer | null;
  /** Tells that the client has sent something which waits for the upstream. */
  readonly hasSent: boolean;
  /** 0 for the first address, one more for each that has failed. */
  readonly attempt: number;
  /** Ticks that the addresses before this one have taken. */
  readonly spentTicks: number;
  /** The upstream's own notes: the address; among several, the one that is dialled, and those that were. */
  choice: number;
  member: number;
  tried: number;
  /** The talk that {@linkcode Upstream.greeting} has begun; null: none, or not yet. */
  readonly greeting: Greeting | null;
}

/** Answer of `dial` where the socket comes later, after `TcpSessions.resume`. No errno has this number. */
export const PENDING = -4096;

/** The other end of connections. Nothing in it throws, or waits. */
export interface Upstream {
  readonly name: string;
  /** Wants to know the name of a destination that has one (`send: name`). */
  readonly wantsName: boolean;
  /** May dial the destination itself after another address: the router's answer is to be kept for that. */
  readonly needsAnswer?: boolean;
  /**
   * Tells whether what is dialled for a call is the destination itself: the client is told what the dial
   * meets, ICMP errors too.
   */
  isDirect(call: Call): boolean;
  /**
   * Dials an address that it has not tried for this call. A socket whose connect(2) has begun, PENDING, or
   * -errno: no address is left.
   */
  dial(call: Call): number;
  /** The configured upstream that a call is dialled through: the i-th is i + 1. Not there: none is. */
  carrier?(call: Call): number;
  /** Ticks that the address which is dialled has until bytes may pass. */
  patience(call: Call): number;
  /** Begins the talk that comes before bytes may pass, with what has answered; null: nothing is said. */
  greeting(call: Call): Greeting | null;
  /**
   * Takes note of how the dial has ended: 0, or an errno, and whose fault that is (greetings/greeting.ts).
   * ECANCELED says nothing of the upstream: the connection is not wanted any more. Called once for each dial
   * that has not failed at once; the call is no longer the upstream's then.
   */
  settled(call: Call, errno: number, blame: number): void;
  /** Takes note that a connection has ended which had come about. */
  ended(call: Call): void;
}
