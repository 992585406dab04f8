/**
 * The upstream of `tproxy redirect`: a fixed one, which may have several addresses, or the original
 * destination.
 * @module
 */
import { EAFNOSUPPORT, ECANCELED, ECONNREFUSED } from "../../../ffi/consts.ts";
import { portOf } from "../../../ffi/sockets/sockaddr.ts";
import type { WorkerContext } from "../context.ts";
import { isOwnAddress } from "../sockets/own_address.ts";
import { Connector } from "./direct.ts";
import type { Call, Sockaddr, Upstream } from "./upstream.ts";

/** Takes news of clients. The addresses are those of the call: whoever keeps them copies them. */
export interface RedirectReport {
  /** A client's connection has an upstream now. */
  handling(client: Sockaddr, upstream: Sockaddr, original: Sockaddr): void;
  /** An upstream did not answer, with an errno. The next one may. */
  failed(client: Sockaddr, upstream: Sockaddr, error: number): void;
  /** A client has dialled the redirector itself, so that there is no original destination. */
  looped(client: Sockaddr): void;
}

/** The destination of all connections. */
export interface RedirectTarget {
  /** Addresses in the order in which they are tried; null: the original destination. */
  readonly upstreams: readonly Sockaddr[] | null;
  /** Dial from the client's address and port: the worker's `source` is "client". */
  readonly fromClient: boolean;
  /** The client's first data goes with the SYN, where it is there already. */
  readonly fastOpen: boolean;
  /** The port that is listened on. */
  readonly listenPort: number;
}

/** The upstream. A call's `choice` is the number of the address that is dialled. */
export class ListedUpstream implements Upstream {
  readonly name = "redirect";
  readonly wantsName = false;
  readonly #context: WorkerContext;
  readonly #target: RedirectTarget;
  readonly #report: RedirectReport;
  readonly #connector: Connector;

  constructor(context: WorkerContext, target: RedirectTarget, report: RedirectReport) {
    this.#context = context;
    this.#target = target;
    this.#report = report;
    this.#connector = new Connector(context, null);
  }

  /** See {@linkcode Upstream}. */
  isDirect(): boolean {
    return false;
  }

  /** See {@linkcode Upstream}. */
  dial(call: Call): number {
    const { upstreams, listenPort } = this.#target;
    if (upstreams === null && portOf(call.destination) === listenPort && isOwnAddress(call.destination)) {
      this.#report.looped(call.client);
      return -ECONNREFUSED;
    }
    const count = upstreams === null ? 1 : upstreams.length;
    let returned = -ECONNREFUSED;
    for (let i = call.attempt === 0 ? 0 : call.choice + 1; i < count; i++) {
      call.choice = i;
      returned = this.#connect(call);
      if (returned >= 0) return returned;
      this.#report.failed(call.client, this.#chosen(call), -returned);
    }
    return returned;
  }

  /** See {@linkcode Upstream}. Each address has its time. */
  patience(): number {
    return this.#context.settings.connectTicks;
  }

  /** See {@linkcode Upstream}. */
  greeting(): null {
    return null;
  }

  /** See {@linkcode Upstream}. */
  settled(call: Call, errno: number): void {
    if (errno === 0) this.#report.handling(call.client, this.#chosen(call), call.destination);
    else if (errno !== ECANCELED) this.#report.failed(call.client, this.#chosen(call), errno);
  }

  /** See {@linkcode Upstream}. */
  ended(): void {}

  #chosen(call: Call): Sockaddr {
    return this.#target.upstreams === null ? call.destination : this.#target.upstreams[call.choice];
  }

  #connect(call: Call): number {
    const upstream = this.#chosen(call);
    if (this.#target.fromClient && upstream[0] !== call.client[0]) return -EAFNOSUPPORT;
    // Nothing to send means that a SYN must go without: the upstream may be the one to speak first.
    const fast = this.#target.fastOpen && call.hasSent;
    return this.#connector.connect(call.client, upstream, this.#context.settings.source, fast);
  }
}
