/**
 * Finds out what has made a dial fail: a reset and some ICMP messages have the same errno.
 * @module
 */
import { IPPROTO_TCP } from "../../../ffi/consts.ts";
import { ReceiveBatch } from "../../../ffi/sockets/receive_batch.ts";
import { SILENCE, verdictOfErrno, verdictOfIcmp } from "./verdict.ts";

/** The message quotes the packet, of which nothing is needed. */
const QUOTED = 64;

/** A worker's reader of error queues. */
export class DialErrors {
  readonly #batch = new ReceiveBatch(1, QUOTED);

  /** The verdict for the client of a socket (IP_RECVERR) that has failed with `errno`. */
  verdict(fd: number, errno: number): number {
    const batch = this.#batch;
    while (fd >= 0 && batch.receiveErrors(fd, 0) > 0) {
      batch.inspect(0);
      const told = verdictOfIcmp(batch.errorOrigin, batch.errorType, batch.errorCode);
      if (told !== SILENCE) return told;
    }
    return verdictOfErrno(errno, IPPROTO_TCP);
  }
}
