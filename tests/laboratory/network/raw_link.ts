/**
 * A packet socket on a link of the laboratory: sends frames as they are, from any address, and sees what
 * arrives.
 * @module
 */
import { SOCK_RAW } from "../../../ffi/consts.ts";
import { bindSocket, closeFd, openSocket, receive, sendWithFlags } from "../../../ffi/sockets/socket.ts";
import { check } from "../../../src/net/error.ts";
import { openNetlink } from "../../../src/netlink/transport.ts";
import { type Link, listLinks } from "../../../src/netlink/route/link.ts";
import { inNamespace } from "./udp_calls.ts";
import type { Namespace } from "../namespace.ts";

// linux/if_packet.h, linux/if_ether.h
const AF_PACKET = 17;
const ETH_P_ALL = 3;
const MAX_FRAME = 65536;

/** Finds a link of the namespace that the thread is in. */
function findLink(name: string): Link {
  using connection = openNetlink("route");
  const link = listLinks(connection).find((link) => link.name === name);
  if (link === undefined) throw new Error(`There is no link ${name}`);
  return link;
}

/** The hardware address of a link. */
export function macOf(namespace: Namespace, name: string): string {
  return inNamespace(namespace.name, () => findLink(name).mac);
}

/** Close it, or let `using` do so. */
export class RawLink implements Disposable {
  readonly #fd: number;
  readonly #buffer = new Uint8Array(MAX_FRAME);

  constructor(namespace: Namespace, name: string) {
    this.#fd = inNamespace(namespace.name, () => {
      const link = findLink(name);
      const fd = check(openSocket(AF_PACKET, SOCK_RAW, { protocol: ETH_P_ALL << 8 }), "open packet socket");
      const address = new Uint8Array(20); // struct sockaddr_ll
      const view = new DataView(address.buffer);
      view.setUint16(0, AF_PACKET, true);
      view.setUint16(2, ETH_P_ALL);
      view.setInt32(4, link.index, true);
      check(bindSocket(fd, address, address.length), "bind packet socket", name);
      return fd;
    });
  }

  /** Sends one frame. */
  send(frame: Uint8Array<ArrayBuffer>): void {
    check(sendWithFlags(this.#fd, frame, 0), "send frame");
  }

  /** Takes the frames that have come, or were sent, on the link since the last call. */
  frames(): Uint8Array[] {
    const frames: Uint8Array[] = [];
    while (true) {
      const length = receive(this.#fd, this.#buffer, MAX_FRAME);
      if (length < 0) return frames;
      frames.push(this.#buffer.slice(0, length));
    }
  }

  [Symbol.dispose](): void {
    closeFd(this.#fd);
  }
}
