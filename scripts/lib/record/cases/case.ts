/**
 * A case of `scripts/record wire`. Pure.
 * @module
 */

/** A recorded command. */
export interface Case {
  readonly name: string;
  /** Shell commands that come before, unrecorded. */
  readonly setup?: readonly string[];
  /** The recorded command: arguments of nft, ip or iptables-nft. */
  readonly command: readonly ["nft" | "ip" | "iptables-nft" | "ip6tables-nft", ...string[]];
  /** Record what was sent (the last send, which is the request proper) or all that was received. */
  readonly direction: "sent" | "received";
  /** Number of the message among those sent, if not the last. */
  readonly index?: number;
}

/** The command of a case that ip runs. */
export function ip(line: string): Case["command"] {
  return ["ip", ...line.split(" ")];
}
