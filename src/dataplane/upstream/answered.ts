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
  IP_BIND_ADDRESS_NO_PORT,
  IP_RECVERR,
  IP_TOS,
  IPPROTO_TCP,
  IPV6_RECVERR,
  IPV6_TCLASS,
  IPV6_V6ONLY,
  SO_MARK,
  SO_PRIORITY,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_IP,
  SOL_IPV6,
  SOL_SOCKET,
  SOL_TCP,
  TCP_MAXSEG,
  TCP_NODELAY,
} from "../../../ffi/consts.ts";
import { clearPort, makeSockaddr, sameSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { bindSocket, closeFd, connectSocket, openNonBlocking } from "../../../ffi/sockets/socket.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";
import { DIAL_PRIORITY } from "../../constants.ts";
import type { Answer } from "../asking/answer.ts";
import type { WorkerContext } from "../context.ts";
import type { RouteBook } from "../routes/route_book.ts";
import { COUNTER } from "../shared/state.ts";
import { makeTransparent } from "../sockets/transparent.ts";
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
    const fd = openNonBlocking(family, SOCK_STREAM);
    if (fd < 0) return fd;
    const isTranslated = from !== null && !sameSockaddr(answer.source, client);
    let returned = this.#prepare(fd, family, answer, isTranslated);
    if (returned >= 0 && this.#routes !== null) returned = this.#routes.prepare(fd, client, answer);
    if (returned >= 0 && from !== null) returned = bindTo(fd, family, from);
    if (returned >= 0 && this.#routes !== null) this.#routes.openPassage(fd, IPPROTO_TCP, answer);
    if (returned >= 0) returned = connectSocket(fd, answer.destination);
    if (returned >= 0 || returned === -EINPROGRESS) return fd;
    closeFd(fd);
    return returned;
  }

  #prepare(fd: number, family: number, answer: Answer, isTranslated: boolean): number {
    const mark = answer.mark | this.#mark;
    if (mark !== 0) {
      const marked = setInt(fd, SOL_SOCKET, SO_MARK, mark);
      if (marked < 0) return marked;
    }
    const isIpv4 = family === AF_INET;
    if (!isIpv4) {
      // An IPv4 address in an IPv6 one is past all rules: see embedded.ts.
      const apart = setInt(fd, SOL_IPV6, IPV6_V6ONLY, 1);
      if (apart < 0) return apart;
    }
    setInt(fd, SOL_TCP, TCP_NODELAY, 1);
    if (isIpv4) setInt(fd, SOL_IP, IP_RECVERR, 1);
    else setInt(fd, SOL_IPV6, IPV6_RECVERR, 1);
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
    return 0;
  }
}

function bindTo(fd: number, family: number, from: Sockaddr): number {
  let returned = makeTransparent(fd, family);
  // A client may use one port for many servers: without it the second bind fails.
  if (returned >= 0) returned = setInt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (returned >= 0 && from[2] === 0 && from[3] === 0) setInt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  return returned < 0 ? returned : bindSocket(fd, from);
}

/** Takes the queue of ICMP errors away: an open connection outlives them. */
export function keepNoErrors(fd: number, family: number): void {
  if (family === AF_INET) setInt(fd, SOL_IP, IP_RECVERR, 0);
  else setInt(fd, SOL_IPV6, IPV6_RECVERR, 0);
}
