/**
 * Sessions with an upstream of type `direct`: a socket for each flow, towards the flow's own server.
 * @module
 */
import { SO_REUSEADDR, SOL_SOCKET } from "../../../../ffi/consts.ts";
import { closeFd, connectSocket } from "../../../../ffi/sockets/socket.ts";
import { bindToDevice, setInt } from "../../../../ffi/sockets/sockopt.ts";
import { DIAL_PRIORITY } from "../../../constants.ts";
import type { Answer } from "../../asking/answer.ts";
import { SourceAddress } from "../../sockets/source.ts";
import { openUdpUpstream } from "../../sockets/udp.ts";
import type { RouterTraffic } from "../../sockets/own_addresses.ts";
import type { OwnWay } from "../../upstream/settings.ts";
import type { Sockaddr } from "../../upstream/upstream.ts";
import type { LinkEnds } from "./link.ts";

/** Dial of sockets by ways. */
export class WayDial {
  readonly #source: SourceAddress;

  /** `router`: null where no client is a program on the router itself. */
  constructor(router: RouterTraffic | null) {
    this.#source = new SourceAddress(router);
  }

  /**
   * A socket for a flow, whose destination it writes to `relay`; or -errno. `answer`: what the router has
   * made of the first datagram, null where it was not asked.
   */
  open(way: OwnWay, { client, destination }: LinkEnds, answer: Answer | null, relay: Sockaddr): number {
    const source = this.#source;
    relay.set(answer === null ? destination : answer.destination);
    // The client's port is held by what has asked, in conntrack: with NAT, the two would be taken for one.
    const wanted = way.source === "client" && answer !== null ? "client-address" : way.source;
    const from = source.choose(client, wanted);
    const fd = this.#openFrom(way, from, answer, relay);
    return fd < 0 && source.changePort(fd) ? this.#openFrom(way, from, answer, relay) : fd;
  }

  #openFrom(way: OwnWay, from: Sockaddr | null, answer: Answer | null, relay: Sockaddr): number {
    const before = answer === null ? 0 : answer.mark;
    const marked = way.mark === null ? before : (before & ~way.mark.mask) | way.mark.value;
    const fd = openUdpUpstream(relay[0], from, {
      tos: false,
      errors: false,
      stream: true,
      mark: marked | this.#source.mark,
      priority: answer === null ? 0 : DIAL_PRIORITY.own,
      prepare: (fd) => {
        setInt(fd, SOL_SOCKET, SO_REUSEADDR, 1); // the client's other flows have the same address and port
        return way.interface === null ? 0 : bindToDevice(fd, new TextEncoder().encode(way.interface));
      },
    });
    if (fd < 0) return fd;
    const returned = connectSocket(fd, relay);
    if (returned >= 0) return fd;
    closeFd(fd);
    return returned;
  }
}
