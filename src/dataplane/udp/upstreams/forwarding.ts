/**
 * Sessions with an upstream of type `forward` or `direct`: a socket for each flow, since its answers do not
 * tell whose they are. A PROXY header, if it wants one, stands before each datagram.
 * @module
 */
import { ECONNREFUSED } from "../../../../ffi/consts.ts";
import { portOf } from "../../../../ffi/sockets/sockaddr.ts";
import { writeDatagramHeader } from "../../upstream/greetings/proxy_header.ts";
import type { Sockaddr } from "../../upstream/upstream.ts";
import type { Link, LinkEnds } from "./link.ts";
import { openToRelay } from "./socket.ts";
import type { UdpUpstream } from "./upstreams.ts";

/** A session's tie to such an upstream. */
export class Forwarding implements Link {
  readonly isUp: boolean = true;
  readonly isBusy: boolean = true;
  readonly relay = new Int32Array(8);
  readonly upstream: UdpUpstream;
  /** A PROXY header stands before each datagram. */
  readonly hasHeader: boolean;

  constructor(upstream: UdpUpstream, hasHeader: boolean) {
    this.upstream = upstream;
    this.hasHeader = hasHeader;
  }

  /** The destination of its datagrams, as bytes: a struct sockaddr. */
  get relayAddress(): Sockaddr {
    return new Uint8Array(this.relay.buffer);
  }

  /** A socket for a flow to the struct sockaddr at `at`, or -errno. `mark`: its SO_MARK, 0 for none. */
  open(words: Int32Array, at: number, mark: number): number {
    const { addresses } = this.upstream.settings;
    if (addresses.length === 0) return -ECONNREFUSED; // its name is not resolved
    const relay = this.relayAddress;
    relay.set(addresses[0]);
    if (portOf(relay) === 0) this.relay[0] |= words[at] & 0xffff0000; // the flow's own
    return openToRelay(relay, mark);
  }

  /** See {@linkcode Link}. */
  writeHeader(bytes: Uint8Array, ends: LinkEnds): number {
    return this.hasHeader ? writeDatagramHeader(bytes, ends) : 0;
  }

  /** See {@linkcode Link}. */
  readHeader(): number {
    return 0;
  }
}
