/**
 * Dials for `tproxy redirect`: a fixed upstream, which may have several addresses, or the original destination.
 * @module
 */
import { EAFNOSUPPORT, ECONNREFUSED, MSG_DONTWAIT, MSG_PEEK } from "../../../ffi/consts.ts";
import { makeSockaddr, portOf } from "../../../ffi/sockets/sockaddr.ts";
import { localAddress, peerAddress, receiveWithFlags } from "../../../ffi/sockets/socket.ts";
import type { WorkerContext } from "../context.ts";
import { Dialler, type Dials } from "./direct.ts";
import { isOwnAddress } from "../sockets/own_address.ts";

/** An address in C's layout. */
type Sockaddr = Uint8Array<ArrayBuffer>;

/** What happens to clients. The addresses are those of the dialler: whoever keeps them copies them. */
export interface RedirectReport {
  /** A client's connection has an upstream now. */
  handling(client: Sockaddr, upstream: Sockaddr, original: Sockaddr): void;
  /** An upstream did not answer, with an errno. The next one may. */
  failed(client: Sockaddr, upstream: Sockaddr, error: number): void;
  /** A client has dialled the redirector itself, so that there is no original destination. */
  looped(client: Sockaddr): void;
}

/** Where to dial. */
export interface RedirectTarget {
  /** Addresses in the order in which they are tried; null: the original destination. */
  readonly upstreams: readonly Sockaddr[] | null;
  /** Dial from the client's address and port. */
  readonly fromClient: boolean;
  /** The client's first data goes with the SYN, where it is there already. */
  readonly fastOpen: boolean;
  /** The port that is listened on. */
  readonly listenPort: number;
}

/** The dialler. */
export class RedirectDialler implements Dials {
  readonly #target: RedirectTarget;
  readonly #report: RedirectReport;
  readonly #dialler: Dialler;
  /** The number of the address that a socket dials; what is left of closed sockets is overwritten by the next of the same number. */
  readonly #dialling = new Map<number, number>();
  readonly #client = makeSockaddr();
  readonly #destination = makeSockaddr();
  readonly #source = makeSockaddr();
  readonly #peeked = new Uint8Array(1);

  constructor(context: WorkerContext, target: RedirectTarget, report: RedirectReport) {
    this.#target = target;
    this.#report = report;
    this.#dialler = new Dialler(context);
  }

  /** See {@linkcode Dials}. */
  dial(destination: Sockaddr, client: Sockaddr, clientFd: number): number {
    const { upstreams, listenPort } = this.#target;
    if (upstreams === null && portOf(destination) === listenPort && isOwnAddress(destination)) {
      this.#report.looped(client);
      return -ECONNREFUSED;
    }
    return this.#tryFrom(0, { destination, client, clientFd });
  }

  /** See {@linkcode Dials}. */
  redial(clientFd: number, upstreamFd: number, error: number): number {
    if (!this.#ask(clientFd)) return -error;
    const failed = this.#dialling.get(upstreamFd) ?? 0;
    this.#report.failed(this.#client, this.#upstreams(this.#destination)[failed], error);
    const call = { destination: this.#destination, client: this.#client, clientFd };
    const next = this.#tryFrom(failed + 1, call);
    return next < 0 ? -error : next;
  }

  /** See {@linkcode Dials}. */
  connected(clientFd: number, upstreamFd: number): void {
    if (!this.#ask(clientFd)) return;
    const upstream = this.#upstreams(this.#destination)[this.#dialling.get(upstreamFd) ?? 0];
    this.#report.handling(this.#client, upstream, this.#destination);
  }

  #upstreams(destination: Sockaddr): readonly Sockaddr[] {
    return this.#target.upstreams ?? [destination];
  }

  /** Whether the client is still there to be asked for its addresses. */
  #ask(clientFd: number): boolean {
    return peerAddress(clientFd, this.#client) >= 0 && localAddress(clientFd, this.#destination) >= 0;
  }

  /** The first address from the i-th on that can be dialled. Its descriptor, or the -errno of the last. */
  #tryFrom(
    first: number,
    call: { destination: Sockaddr; client: Sockaddr; clientFd: number },
  ): number {
    const { fromClient, fastOpen } = this.#target;
    const upstreams = this.#upstreams(call.destination);
    let returned = -ECONNREFUSED;
    for (let i = first; i < upstreams.length; i++) {
      const fast = fastOpen && this.#hasData(call.clientFd);
      this.#source.set(call.client);
      returned = fromClient && upstreams[i][0] !== call.client[0]
        ? -EAFNOSUPPORT
        : this.#dialler.dial(upstreams[i], this.#source, call.clientFd, fast);
      if (returned >= 0) {
        this.#dialling.set(returned, i);
        return returned;
      }
      this.#report.failed(call.client, upstreams[i], -returned);
    }
    return returned;
  }

  /** Nothing to send means that a SYN must go without: the upstream may be the one to speak first. */
  #hasData(clientFd: number): boolean {
    return receiveWithFlags(clientFd, this.#peeked, MSG_PEEK | MSG_DONTWAIT) > 0;
  }
}
