/**
 * A flow as the live screen sees it: what the control socket says of it once a second. Pure.
 * @module
 */

/** A flow. */
export interface WatchedFlow {
  /** Name that no other flow has, ever. */
  readonly id: string;
  readonly protocol: "tcp" | "udp";
  readonly family: 4 | 6;
  /** The client's address, without its port. */
  readonly client: string;
  /** The client's name, or hardware address, or address: what is known of it. */
  readonly device: string;
  /** null: not known yet. */
  readonly destination: string | null;
  readonly destinationPort: number | null;
  /** The name that the client has asked for; null: none. */
  readonly name: string | null;
  readonly rule: string;
  /** The upstream that carries it; null: none. */
  readonly upstream: string | null;
  readonly state: string;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Milliseconds since 1970. */
  readonly started: number;
}
