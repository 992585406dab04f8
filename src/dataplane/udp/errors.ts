/**
 * Passes ICMP errors on to clients: upstream sockets with an address or port of the router's own receive them
 * in the clients' stead.
 * @module
 */
import { SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6, SO_EE_ORIGIN_LOCAL } from "../../../ffi/consts.ts";
import { ReceiveBatch } from "../../../ffi/sockets/receive_batch.ts";
import type { SendBatch } from "../../../ffi/sockets/send_batch.ts";
import { copyAddress } from "../shared/addresses.ts";
import { ADDRESS_WORDS } from "../shared/columns.ts";
import { keepErrors } from "../sockets/transparent.ts";
import { MEETS_ERRORS, type UdpTable, UNFRAGMENTED } from "./table.ts";
import { tooLarge, type Undeliverable, type Unreachable } from "./unreachable.ts";
import type { Ways } from "./ways/ways.ts";

const BATCH = 4;
// RFC 792 and RFC 4443: destination unreachable, too large, time exceeded.
const ICMP_UNREACHABLE = 3;
const ICMP_FRAGMENTATION_NEEDED = 4;
const ICMP_TIME_EXCEEDED = 11;
const ICMP6_UNREACHABLE = 1;
const ICMP6_TOO_LARGE = 2;
const ICMP6_TIME_EXCEEDED = 3;

/** The error queues of a worker's sessions. */
export class UdpErrors {
  readonly #table: UdpTable;
  readonly #ways: Ways;
  readonly #unreachable: Unreachable;
  /** Made when the first error comes: to most workers none ever comes. */
  #batch: ReceiveBatch | null = null;
  /** The MTU that the kernel has refused a datagram for. */
  #localMtu = 0;
  /** The client's address and the destination's. */
  readonly #words = new Int32Array(2 * ADDRESS_WORDS);

  constructor(
    table: UdpTable,
    { ways, unreachable }: { readonly ways: Ways; readonly unreachable: Unreachable },
  ) {
    this.#table = table;
    this.#ways = ways;
    this.#unreachable = unreachable;
  }

  /** Tells a session's client of its errors, where its socket keeps them. How many there were. */
  drain(slot: number): number {
    if (this.#table.keepsErrors[slot] === 0) return 0;
    const batch = this.#batch ??= new ReceiveBatch(BATCH);
    let total = 0;
    for (;;) {
      const count = batch.receiveErrors(this.#table.fds[slot], 0);
      if (count <= 0) return total;
      total += count;
      for (let i = 0; i < count; i++) this.#tell(batch, slot, i);
    }
  }

  /**
   * Tells a session's client that its datagram is too large: `message` has just been refused for that. The
   * kernel names the MTU in the socket's queue of errors alone, so it is refused once more.
   */
  tellSize(slot: number, message: SendBatch, datagram: Undeliverable): void {
    if (!this.#unreachable.mayTell) return;
    const fd = this.#table.fds[slot];
    const family = datagram.words[datagram.destination] & 0xffff;
    const { keepsErrors } = this.#table;
    const kept = keepsErrors[slot];
    if (kept === 0) keepErrors(fd, family, true);
    keepsErrors[slot] = MEETS_ERRORS;
    this.#localMtu = 0;
    message.send(fd, 0);
    this.drain(slot);
    if (this.#localMtu > 0) this.#unreachable.tell(tooLarge(this.#localMtu, datagram), datagram);
    keepsErrors[slot] = kept;
    if (kept === 0) keepErrors(fd, family, false);
  }

  #tell(batch: ReceiveBatch, slot: number, i: number): void {
    batch.inspect(i);
    const { errorOrigin: origin, errorType: type, errorCode: code, errorMtu: mtu } = batch;
    if (origin === SO_EE_ORIGIN_LOCAL) {
      this.#localMtu = mtu; // the rest of it is not whole: a port is missing
      return;
    }
    const isTooLarge =
      (origin === SO_EE_ORIGIN_ICMP && type === ICMP_UNREACHABLE && code === ICMP_FRAGMENTATION_NEEDED) ||
      (origin === SO_EE_ORIGIN_ICMP6 && type === ICMP6_TOO_LARGE);
    const told = isTooLarge
      ? (this.#table.traits[slot] & UNFRAGMENTED) !== 0 && mtu > 0 // else the socket cuts them itself
      : origin === SO_EE_ORIGIN_ICMP
      ? type === ICMP_TIME_EXCEEDED || type === ICMP_UNREACHABLE
      : origin === SO_EE_ORIGIN_ICMP6 && (type === ICMP6_UNREACHABLE || type === ICMP6_TIME_EXCEEDED);
    if (!told) return;
    const words = this.#words;
    copyAddress(this.#table.addresses, slot * ADDRESS_WORDS, words, 0);
    copyAddress(batch.words, batch.name(i), words, ADDRESS_WORDS);
    this.#ways.restore(slot, words, ADDRESS_WORDS);
    const length = batch.length(i);
    const datagram = { words, client: 0, destination: ADDRESS_WORDS, length };
    this.#unreachable.tell(isTooLarge ? tooLarge(mtu, datagram) : { type, code }, datagram);
  }
}
