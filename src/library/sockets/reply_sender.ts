/**
 * Sends datagrams to clients from the addresses of servers, through one raw socket of each family: it binds
 * no port of anybody.
 * @module
 */
import { PinnedMemory } from "../../../ffi/memory.ts";
import { makeSockaddr, writeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { SendBatch } from "../../../ffi/sockets/send_batch.ts";
import { openReplySender } from "../../dataplane/sockets/udp.ts";
import { udpChecksum } from "../../dataplane/udp/checksum.ts";
import { EAGAIN, EINTR, EMSGSIZE } from "../../net/errno.ts";
import { check } from "../../net/error.ts";
import { listenerAddress } from "../../net/families.ts";
import { type Endpoint, type Family, formatEndpoint } from "../../net/ip.ts";
import { type WatchedSocket, watchSocket } from "./readiness.ts";
import { checkTransparent } from "./refusal.ts";

/** The longest datagram that a UDP header can tell of, without the header. */
const LONGEST = 65535 - 8;
const ADDRESS_BYTES = 32;

/** The two ends of an answer. */
export interface ReplyEnds {
  /** The server's address and port, which the client has sent to. */
  readonly from: Endpoint;
  /** The client's. */
  readonly to: Endpoint;
}

/** Answers clients of one family. */
export class ReplySender {
  readonly #socket: WatchedSocket;
  readonly #batch = new SendBatch(1, 2);
  readonly #data = new PinnedMemory(65536);
  readonly #addresses = new Uint8Array(2 * ADDRESS_BYTES);
  readonly #words = new Int32Array(this.#addresses.buffer);

  /** Opens the socket. `mark`: SO_MARK, 0 for none. Throws OperationError. */
  constructor(family: Family, mark: number) {
    const loopback = makeSockaddr();
    writeSockaddr(loopback, { address: listenerAddress(family), port: 0 });
    const opened = openReplySender(loopback, { mark });
    this.#socket = watchSocket(checkTransparent(opened, "open", `raw ${family} socket for answers over UDP`));
  }

  /** Sends a datagram; waits while the network takes none. Throws OperationError. */
  async send(data: Uint8Array, ends: ReplyEnds): Promise<void> {
    for (;;) {
      const sent = data.length > LONGEST ? -EMSGSIZE : this.#try(data, ends);
      if (sent !== -EAGAIN && sent !== -EINTR) {
        check(sent, "answer", `${formatEndpoint(ends.to)} from ${formatEndpoint(ends.from)}`);
        return;
      }
      if (!await this.#socket.writable()) return; // closed: nobody may be answered any more
    }
  }

  /** Closes the socket. */
  close(): void {
    this.#socket.close();
  }

  /** One sendmmsg(2): 1 or -errno. All that it needs is written anew each time. */
  #try(data: Uint8Array, { from, to }: ReplyEnds): number {
    writeSockaddr(this.#addresses.subarray(0, ADDRESS_BYTES), to);
    writeSockaddr(this.#addresses.subarray(ADDRESS_BYTES), from);
    this.#data.bytes.set(data);
    const [source, destination] = [ADDRESS_BYTES >> 2, 0];
    const words = this.#words;
    // From the server's port to the client's.
    const ports = (words[source] >>> 16) | (words[destination] & 0xffff0000);
    // Of IPv6 the kernel fills in the checksum.
    const checksum = to.address.family === "ipv4"
      ? udpChecksum(this.#data, 0, data.length, words[source + 1], words[destination + 1], ports)
      : 0;
    const batch = this.#batch;
    batch.clear();
    batch.begin(words, destination);
    batch.sendFrom(words, source);
    batch.addUdpHeader(ports, data.length, checksum);
    if (data.length > 0) batch.add(this.#data.low, this.#data.high, data.length);
    return batch.send(this.#socket.fd, 0);
  }
}
