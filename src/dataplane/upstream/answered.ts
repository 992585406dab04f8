/**
 * Dials as the router would have forwarded: what its forward path has made of the first packet says from
 * where, to where, and how.
 * @module
 */
import {
  AF_INET,
  EADDRINUSE,
  EADDRNOTAVAIL,
  EINPROGRESS,
  IP_TOS,
  IPPROTO_TCP,
  IPV6_TCLASS,
  SO_PRIORITY,
  SOL_IP,
  SOL_IPV6,
  SOL_SOCKET,
  SOL_TCP,
  TCP_MAXSEG,
} from "../../../ffi/consts.ts";
import { clearPort, makeSockaddr, sameSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { closeFd, connectSocket } from "../../../ffi/sockets/socket.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";
import { DIAL_PRIORITY } from "../../constants.ts";
import type { Answer } from "../asking/answer.ts";
import type { WorkerContext } from "../context.ts";
import type { RouteBook } from "../routes/route_book.ts";
import { COUNTER } from "../shared/state.ts";
import { bindOutgoing, keepErrors, openUnbound } from "../sockets/transparent.ts";
import type { Sockaddr } from "./upstream.ts";

/** MSS of a path with Ethernet's MTU: more than that need not be asked for. */
const USUAL_MSS = { ipv4: 1460, ipv6: 1440 } as const;
/** The kernel's TCP_MIN_MSS. */
const LEAST_MSS = 88;

/** A worker's dialler of answers. */
export class AnsweredConnector {
  readonly #context: WorkerContext;
  readonly #mark: number;
  readonly #routes: RouteBook | null;
  readonly #source = makeSockaddr();

  /** `mark`: bits of SO_MARK besides the answer's. */
  constructor(context: WorkerContext, mark: number, routes: RouteBook | null) {
    this.#context = context;
    this.#mark = mark;
    this.#routes = routes;
  }

  /** A client's socket whose connect(2) has begun, or -errno. It keeps a queue of ICMP errors. */
  connect(client: Sockaddr, answer: Answer): number {
    const { source } = this.#context.settings;
    const isOurs = source === "router" || (this.#routes !== null && this.#routes.passesUsBy(client, answer));
    if (isOurs) return this.#connect(client, answer, null);
    const from = this.#source;
    from.set(answer.source);
    if (source === "client-address") clearPort(from);
    const fd = this.#connect(client, answer, from);
    // Held by what is left of an earlier connection (TIME_WAIT), or by a daemon of this router.
    if ((fd !== -EADDRINUSE && fd !== -EADDRNOTAVAIL) || source === "client-address") return fd;
    this.#context.counters[COUNTER.portChanged]++;
    clearPort(from);
    return this.#connect(client, answer, from);
  }

  #connect(client: Sockaddr, answer: Answer, from: Sockaddr | null): number {
    const family = answer.destination[0];
    const fd = openUnbound(family, answer.mark | this.#mark);
    if (fd < 0) return fd;
    const routes = this.#routes;
    const isTranslated = from !== null && !sameSockaddr(answer.source, client);
    prepareAnswered(fd, family, answer, isTranslated);
    let returned = routes === null ? 0 : routes.prepare(fd, IPPROTO_TCP, client, answer);
    if (returned >= 0 && from !== null) returned = bindOutgoing(fd, family, from);
    if (returned >= 0 && routes !== null) routes.openPassage(fd, IPPROTO_TCP, answer);
    if (returned >= 0) returned = connectSocket(fd, answer.destination);
    if (returned >= 0 || returned === -EINPROGRESS) return fd;
    closeFd(fd);
    return returned;
  }
}

/** Gives a client's socket what its packets have of the first one, and a queue of ICMP errors. */
export function prepareAnswered(fd: number, family: number, answer: Answer, isTranslated: boolean): void {
  const isIpv4 = family === AF_INET;
  keepErrors(fd, family, true);
  if (answer.tos !== 0) {
    if (isIpv4) setInt(fd, SOL_IP, IP_TOS, answer.tos);
    else setInt(fd, SOL_IPV6, IPV6_TCLASS, answer.tos);
  }
  // Behind the TOS, which brings a priority of its own.
  setInt(fd, SOL_SOCKET, SO_PRIORITY, isTranslated ? DIAL_PRIORITY.translated : DIAL_PRIORITY.own);
  // None, or a smaller one than the client's: a rule may have made it fit the path.
  if (answer.mss >= LEAST_MSS && answer.mss < (isIpv4 ? USUAL_MSS.ipv4 : USUAL_MSS.ipv6)) {
    setInt(fd, SOL_TCP, TCP_MAXSEG, answer.mss);
  }
}
