/**
 * Opens the sockets of sessions: as the router would have sent the client's datagrams on, where it was asked.
 * @module
 */
import { EADDRINUSE, IPPROTO_UDP } from "../../../../ffi/consts.ts";
import { makeSockaddr, sameSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { localAddress } from "../../../../ffi/sockets/socket.ts";
import { DIAL_PRIORITY } from "../../../constants.ts";
import type { Answer } from "../../asking/answer.ts";
import type { WorkerContext } from "../../context.ts";
import type { RouteBook } from "../../routes/route_book.ts";
import { copyAddress } from "../../shared/addresses.ts";
import { COUNTER } from "../../shared/state.ts";
import type { RouterTraffic } from "../../sockets/own_addresses.ts";
import { SourceAddress } from "../../sockets/source.ts";
import { openUdpUpstream, shareAddress } from "../../sockets/udp.ts";
import { OTHER, type UdpTable } from "../table.ts";

/** The dial of a worker; its fields tell of the last call. */
export class UdpDial {
  /** The socket has an address or port of the router's own: it, and not the client, is told of errors. */
  isOurs = false;
  /** The session whose address and port it shares, -1 for none. */
  leader = -1;
  /** Its SO_PRIORITY, 0: the kernel's. */
  priority = 0;
  readonly #context: WorkerContext;
  readonly #table: UdpTable;
  readonly #source: SourceAddress;
  readonly #routes: RouteBook | null;
  readonly #client = makeSockaddr();
  readonly #clientWords = new Int32Array(this.#client.buffer);
  readonly #bound = makeSockaddr();
  #answer: Answer | null = null;
  readonly #prepare = (fd: number): number =>
    this.#answer === null || this.#routes === null
      ? 0
      : this.#routes.prepare(fd, IPPROTO_UDP, this.#client, this.#answer);

  constructor(
    context: WorkerContext,
    { table, router, routes }: {
      readonly table: UdpTable;
      readonly router: RouterTraffic | null;
      readonly routes: RouteBook | null;
    },
  ) {
    this.#context = context;
    this.#table = table;
    this.#source = new SourceAddress(router);
    this.#routes = routes;
  }

  /**
   * A socket for the client at `at` in `words`. `answer`: the router's, null where it was not asked. `kin`:
   * sessions of the client whose address and port it may have as well, null where this is the first. The
   * descriptor or -errno.
   */
  open(
    words: Int32Array,
    at: number,
    kind: number,
    answer: Answer | null,
    kin: readonly number[] | null,
  ): number {
    const { source: wanted, udp } = this.#context.settings;
    const source = this.#source;
    copyAddress(words, at, this.#clientWords, 0);
    const passesUsBy = answer !== null && this.#routes !== null &&
      this.#routes.passesUsBy(this.#client, answer);
    const from = passesUsBy ? "router" : wanted;
    this.#answer = answer;
    this.leader = -1;
    const address = answer === null
      ? source.choose(this.#client, from)
      : source.chooseTranslated(answer.source, from);
    const isTranslated = answer !== null && !sameSockaddr(answer.source, this.#client);
    this.isOurs = from === "router" || source.own || isTranslated;
    const isKept = isTranslated && from !== "router";
    this.priority = answer === null ? 0 : isKept ? DIAL_PRIORITY.translated : DIAL_PRIORITY.own;
    const options = {
      tos: udp.tos,
      // Where flows ask, rules bring all errors about our sockets to them.
      errors: this.isOurs || from !== "client" || answer !== null,
      stream: kind === OTHER,
      mark: answer === null ? source.mark : answer.mark | source.mark,
      priority: this.priority,
      // Others may have the same address and port: other clients, and other ways of this one.
      exclusive: answer !== null && (isTranslated || kin !== null),
      unfragmented: answer !== null && answer.whole,
      prepare: this.#prepare,
    };
    const family = words[at] & 0xffff;
    let fd = openUdpUpstream(family, address, options);
    if (fd >= 0 || address === null) return fd;
    this.leader = fd === -EADDRINUSE && kin !== null ? this.#find(kin, address) : -1;
    if (this.leader >= 0 && shareAddress(this.#table.fds[this.leader]) >= 0) {
      fd = openUdpUpstream(family, address, { ...options, exclusive: false });
      if (fd >= 0) return fd;
    }
    this.leader = -1;
    if (!source.changePort(fd)) return fd;
    this.#context.counters[COUNTER.portChanged]++;
    return openUdpUpstream(family, address, options);
  }

  /** The one of some sessions that has an address and port, -1 for none. */
  #find(kin: readonly number[], address: Uint8Array<ArrayBuffer>): number {
    for (const slot of kin) {
      if (localAddress(this.#table.fds[slot], this.#bound) < 0) continue;
      if (sameSockaddr(this.#bound, address)) return slot;
    }
    return -1;
  }
}
