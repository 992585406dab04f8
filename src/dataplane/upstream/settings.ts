/**
 * Upstream proxies as workers are given them: plain data. Pure.
 * @module
 */
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
  /** `header`: version of the PROXY header that comes first, null: none does. */
  | { readonly type: "forward"; readonly header: ProxyVersion | null };

/** An upstream. */
export interface UpstreamSettings {
  readonly name: string;
  /** Its place in the UpstreamHealth. */
  readonly place: number;
  /** Faults in a row after which it is down. */
  readonly fall: number;
  /** In the order in which they are tried; none: its name could not be resolved. Port 0: the flow's own. */
  readonly addresses: readonly Sockaddr[];
  readonly protocol: UpstreamProtocol;
}
