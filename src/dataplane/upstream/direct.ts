/**
 * Dials the original destination, from the address that `source` asks for.
 * @module
 */
import { ECONNREFUSED, EINPROGRESS } from "../../../ffi/consts.ts";
import { closeFd, connectSocket } from "../../../ffi/sockets/socket.ts";
import type { Source } from "../../config/types.ts";
import type { WorkerContext } from "../context.ts";
import type { RouteBook } from "../routes/route_book.ts";
import { COUNTER } from "../shared/state.ts";
import type { RouterTraffic } from "../sockets/own_addresses.ts";
import { SourceAddress } from "../sockets/source.ts";
import { fastOpen, openOutgoing } from "../sockets/transparent.ts";
import { AnsweredConnector } from "./answered.ts";
import type { Call, Sockaddr, Upstream } from "./upstream.ts";

/**
 * A socket on its way to `destination` from `source`, or from wherever the kernel likes if that is null; its
 * connect(2) has begun. With `fast`, what is sent first goes with the SYN, if it may. `mark`: SO_MARK, 0 for
 * none. The descriptor or -errno.
 */
export function connectFrom(
  destination: Sockaddr,
  source: Sockaddr | null,
  fast = false,
  mark = 0,
): number {
  const fd = openOutgoing(destination[0], source, mark);
  if (fd < 0) return fd;
  if (fast) fastOpen(fd);
  const returned = connectSocket(fd, destination);
  if (returned >= 0 || returned === -EINPROGRESS) return fd;
  closeFd(fd);
  return returned;
}

/** Connects from where it is told. */
export class Connector {
  readonly #context: WorkerContext;
  readonly #source: SourceAddress;

  constructor(context: WorkerContext, router: RouterTraffic | null) {
    this.#context = context;
    this.#source = new SourceAddress(router);
  }

  /**
   * A socket on its way to `destination` for a client, whose server sees `by`; see {@linkcode connectFrom}.
   * The descriptor or -errno.
   */
  connect(client: Sockaddr, destination: Sockaddr, by: Source, fast = false): number {
    const source = this.#source;
    const from = source.choose(client, by);
    const fd = connectFrom(destination, from, fast, source.mark);
    if (fd >= 0 || !source.changePort(fd)) return fd;
    this.#context.counters[COUNTER.portChanged]++;
    return connectFrom(destination, from, fast, source.mark);
  }
}

/** The upstream of connections that go where they were meant to go. */
export class DirectUpstream implements Upstream {
  readonly name = "direct";
  readonly wantsName = false;
  readonly #context: WorkerContext;
  readonly #connector: Connector;
  readonly #answered: AnsweredConnector;

  /** `routes`: null where plain routing leads every flow to where it would have gone. */
  constructor(
    context: WorkerContext,
    router: RouterTraffic | null = null,
    routes: RouteBook | null = null,
  ) {
    this.#context = context;
    this.#connector = new Connector(context, router);
    this.#answered = new AnsweredConnector(context, router === null ? 0 : router.mark, routes);
  }

  /** See {@linkcode Upstream}. */
  isDirect(): boolean {
    return true;
  }

  /** See {@linkcode Upstream}. There is one address. */
  dial(call: Call): number {
    if (call.attempt > 0) return -ECONNREFUSED;
    const { answer } = call;
    return answer === null
      ? this.#connector.connect(call.client, call.destination, this.#context.settings.source)
      : this.#answered.connect(call.client, answer);
  }

  /** See {@linkcode Upstream}. */
  patience(): number {
    return this.#context.settings.connectTicks;
  }

  /** See {@linkcode Upstream}. */
  greeting(): null {
    return null;
  }

  /** See {@linkcode Upstream}. */
  settled(): void {}

  /** See {@linkcode Upstream}. */
  ended(): void {}
}
