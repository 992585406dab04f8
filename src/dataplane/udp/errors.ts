/**
 * Passes ICMP errors on to clients: upstream sockets with an address or port of the router's own receive them
 * in the clients' stead.
 * @module
 */
import { SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6 } from "../../../ffi/consts.ts";
import { ReceiveBatch } from "../../../ffi/sockets/receive_batch.ts";
import { ADDRESS_WORDS } from "../shared/columns.ts";
import { copyAddress, type UdpTable } from "./table.ts";
import type { Unreachable } from "./unreachable.ts";

const BATCH = 4;
// RFC 792 and RFC 4443: destination unreachable, time exceeded. How large datagrams may be is the sockets'
// own business.
const ICMP_UNREACHABLE = 3;
const ICMP_FRAGMENTATION_NEEDED = 4;
const ICMP_TIME_EXCEEDED = 11;
const ICMP6_UNREACHABLE = 1;
const ICMP6_TIME_EXCEEDED = 3;

/** The error queues of a worker's sessions. */
export class UdpErrors {
  readonly #table: UdpTable;
  readonly #unreachable: Unreachable;
  /** Made when the first error comes: to most workers none ever comes. */
  #batch: ReceiveBatch | null = null;
  /** The client's address and the destination's. */
  readonly #words = new Int32Array(2 * ADDRESS_WORDS);

  constructor(table: UdpTable, unreachable: Unreachable) {
    this.#table = table;
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

  #tell(batch: ReceiveBatch, slot: number, i: number): void {
    batch.inspect(i);
    const { errorOrigin: origin, errorType: type, errorCode: code } = batch;
    const told = origin === SO_EE_ORIGIN_ICMP
      ? type === ICMP_TIME_EXCEEDED || (type === ICMP_UNREACHABLE && code !== ICMP_FRAGMENTATION_NEEDED)
      : origin === SO_EE_ORIGIN_ICMP6 && (type === ICMP6_UNREACHABLE || type === ICMP6_TIME_EXCEEDED);
    if (!told) return;
    const words = this.#words;
    copyAddress(this.#table.addresses, slot * ADDRESS_WORDS, words, 0);
    copyAddress(batch.words, batch.name(i), words, ADDRESS_WORDS);
    const length = batch.length(i);
    this.#unreachable.tell({ type, code }, { words, client: 0, destination: ADDRESS_WORDS, length });
  }
}
