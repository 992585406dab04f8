/**
 * A client's account of its conversation with a server of the self-test.
 * @module
 */

/** Target of a conversation. */
export interface Target {
  readonly hostname: string;
  readonly port: number;
}

/** End of a conversation over TCP. */
export type Outcome =
  | { readonly kind: "ok"; readonly text: string; readonly localPort: number }
  | { readonly kind: "refused" | "reset" | "timeout" }
  | { readonly kind: "error"; readonly text: string };

/** A datagram that a client got. */
export interface Reply {
  /** The sender, `192.0.2.1:80`. */
  readonly from: string;
  readonly text: string;
}

/** End of a conversation over UDP: with all replies, with a port unreachable, or with silence after some. */
export interface Talk {
  readonly kind: "ok" | "refused" | "timeout";
  readonly replies: readonly Reply[];
  /** The client's port, 0 if it has not sent anything. */
  readonly localPort: number;
}
