/**
 * The sign of life for the rules of the router's own traffic: a running proxy sends a datagram to itself,
 * over and over, whose mark (SO_MARK) nobody else may set, and whose size tells its port and protocols. A
 * rule puts it into a set that forgets after {@linkcode ALIVE_SECONDS}. Through netlink each sign would be a
 * change of the rule set, and a program that lists a long one at the time would have to begin again.
 * @module
 */
import { SO_MARK, SOCK_DGRAM, SOL_SOCKET } from "../../../ffi/consts.ts";
import { makeSockaddr, writeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import {
  bindSocket,
  closeFd,
  connectSocket,
  localAddress,
  openNonBlocking,
  receive,
  send,
} from "../../../ffi/sockets/socket.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";
import { ALIVE_INTERVAL_MS, TABLE_NAME, TRIAL_PREFIX } from "../../constants.ts";
import { Marks } from "../../marks.ts";
import { check, unlessRefused } from "../../net/error.ts";
import { FAMILIES, FAMILY_NUMBERS, listenerAddress } from "../../net/families.ts";
import type { Family } from "../../net/ip.ts";
import { listElements } from "../../netlink/nft/sets/element.ts";
import { NftBatch } from "../../netlink/nft/batch.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { openNetlink } from "../../netlink/transport.ts";
import type { Life, LiveProxy } from "./life.ts";
import { RUNNING_SET, signSize } from "./sign_size.ts";

/** The set of the install, and that of one on trial: one of them is filled. */
const SETS = [RUNNING_SET, TRIAL_PREFIX + RUNNING_SET].map((name) =>
  ({ family: "inet", table: TABLE_NAME, name }) as const
);
const byte = new Uint8Array(1);

/** A proxy that shows itself by datagrams. */
export class DatagramLife implements Life {
  readonly #proxy: LiveProxy;
  readonly #sign: Uint8Array<ArrayBuffer>;
  #sockets: readonly number[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  #ended = false;

  /** Of this process, or of one that is known to run beside it. */
  constructor(proxy: LiveProxy) {
    const { listener, intercept } = proxy.config;
    this.#proxy = proxy;
    this.#sign = new Uint8Array(signSize({ listenerPort: listener.port, protocols: intercept.protocols }));
  }

  /** See {@linkcode Life}. */
  begin(): void {
    this.#sockets = openSockets(this.#proxy);
    const show = () => this.#sockets.forEach((fd) => showTo(fd, this.#sign));
    show();
    this.#timer = setInterval(show, ALIVE_INTERVAL_MS);
  }

  /** See {@linkcode Life}. */
  once(): void {
    if (this.#ended) return;
    for (const fd of openSockets(this.#proxy)) {
      showTo(fd, this.#sign);
      closeFd(fd);
    }
  }

  /** See {@linkcode Life}. */
  leave(): void {
    this.#ended = true;
    clearInterval(this.#timer);
    for (const fd of this.#sockets) closeFd(fd);
    this.#timer = undefined;
    this.#sockets = [];
  }

  /** See {@linkcode Life}. */
  end(): void {
    this.#ended = true;
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const fd of this.#sockets) closeFd(fd);
    for (const family of this.#proxy.families) forget(family);
  }
}

/**
 * Reads in which families a proxy has shown itself to the rules that are installed. One that runs with a
 * config without the router's own traffic does not, and must not be given any: its sockets carry no mark, and
 * their packets would come to it again.
 */
export function readRunning(): Family[] {
  const keys = SETS.flatMap((set) =>
    tryNetfilter((netfilter) => listElements(netfilter, set).map(({ key }) => key[0])) ?? []
  );
  return FAMILIES.filter((family) => keys.includes(FAMILY_NUMBERS[family]));
}

/** Takes what it has sent to itself before: a filter that drops it would count as errors of UDP. */
function showTo(fd: number, sign: Uint8Array<ArrayBuffer>): void {
  while (receive(fd, byte, 1) >= 0);
  send(fd, sign, sign.length);
}

function openSockets({ config, families }: LiveProxy): number[] {
  return families.map((family) => {
    const address = makeSockaddr();
    writeSockaddr(address, {
      address: listenerAddress(family),
      port: 0,
    });
    const fd = check(openNonBlocking(address[0], SOCK_DGRAM), "open a socket for the proxy's sign of life");
    let returned = setInt(fd, SOL_SOCKET, SO_MARK, new Marks(config.kernel.mark).clientSocket);
    if (returned >= 0) returned = bindSocket(fd, address);
    if (returned >= 0) returned = localAddress(fd, address);
    if (returned >= 0) returned = connectSocket(fd, address);
    if (returned < 0) closeFd(fd);
    check(returned, "prepare the socket for the proxy's sign of life", family);
    return fd;
  });
}

/** Withdraws the sign. It may be gone already, or nothing installed. */
function forget(family: Family): void {
  const element = { key: Uint8Array.of(FAMILY_NUMBERS[family]) };
  for (const set of SETS) {
    tryNetfilter((netfilter) => new NftBatch().deleteElements(set, [element]).commit(netfilter));
  }
}

/** Returns what the work comes to; undefined where nothing is installed, or nothing that asks. */
function tryNetfilter<T>(work: (netfilter: NetlinkConnection) => T): T | undefined {
  return unlessRefused(() => {
    using netfilter = openNetlink("netfilter");
    return work(netfilter);
  });
}
