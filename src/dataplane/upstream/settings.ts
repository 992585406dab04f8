/**
 * Upstreams as workers are given them: plain data. Pure.
 * @module
 */
import type { MaskedMark, Source } from "../../config/upstreams/types.ts";
import type { Sends } from "./greetings/destination.ts";
import type { Credentials } from "./greetings/greeting.ts";
import type { ProxyVersion } from "./greetings/proxy_header.ts";
import type { Sockaddr } from "./upstream.ts";

/** The protocol that an upstream is spoken to in. */
export type UpstreamProtocol =
  | {
    readonly type: "socks5" | "http-connect";
    readonly credentials: Credentials | null;
    readonly sends: Sends;
    /** Of SOCKS5: the address at which it relays UDP, whatever it says itself; its port does not count. */
    readonly udpAddress?: Sockaddr | null;
  }
  /** `header`: version of the PROXY header that comes first, null: none does; `source`: whom it sees. */
  | { readonly type: "forward"; readonly header: ProxyVersion | null; readonly source: Source }
  | OwnWay;

/** No proxy: flows go to their own servers, by this way. */
export interface OwnWay {
  /** Its type. */
  readonly type: "direct";
  /** The interface that they leave by; null: as routing has it. */
  readonly interface: string | null;
  /** Bits of their packets' mark; null: none but those that they have. */
  readonly mark: MaskedMark | null;
  /** The sender that servers see. */
  readonly source: Source;
}

/** An upstream. */
export interface UpstreamSettings {
  readonly name: string;
  /** Its place in the UpstreamHealth. */
  readonly place: number;
  /** Faults in a row after which it is down. */
  readonly fall: number;
  /**
   * In the order in which they are tried; none: it has none, or its name could not be resolved.
   * Port 0: the flow's own.
   */
  readonly addresses: readonly Sockaddr[];
  readonly protocol: UpstreamProtocol;
}
