/**
 * Verdicts on packets that a queue of NFQUEUE holds, as netlink messages. Pure, and without allocation.
 * @module
 */
import { FLOW_LABEL } from "../../../constants.ts";
import { FLOW, labelBytes } from "../../../netlink/flow.ts";
import { put32 } from "../../asking/packet/bytes.ts";
import { NetlinkWriter } from "../../routes/netlink_writer.ts";

/** NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT */
const VERDICT = 0x301;
const NFQA_VERDICT_HDR = 2;
const NFQA_CT = 11;
/** sizeof(struct nfgenmsg); its last two bytes are the queue's number. */
const FAMILY_HEADER = 4;

/** The packet vanishes. */
export const NF_DROP = 0;
/** The packet goes on behind the chain that has held it. */
export const NF_ACCEPT = 1;

/** Bytes of the longest message. */
export const LONGEST_VERDICT = 128;

/** Writes the verdicts of a queue. */
export class VerdictWriter {
  readonly #writer = new NetlinkWriter(LONGEST_VERDICT);
  readonly #queue: number;
  /** struct nfqnl_msg_verdict_hdr */
  readonly #header = new Uint8Array(8);
  readonly #released = labelBytes(FLOW_LABEL.released);

  constructor(queue: number) {
    this.#queue = queue;
  }

  /** The message that was written last lies at the begin of it. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#writer.bytes;
  }

  /** Writes a verdict on the packet of this number; `release`: its flow is held no more. The length. */
  write(id: number, verdict: number, release: boolean): number {
    const writer = this.#writer;
    writer.begin(VERDICT, 0, FAMILY_HEADER, 0);
    writer.set(2, this.#queue >> 8);
    writer.set(3, this.#queue & 0xff);
    put32(this.#header, 0, verdict);
    put32(this.#header, 4, id);
    writer.copy(NFQA_VERDICT_HDR, this.#header, 0, this.#header.length);
    if (release) {
      const nest = writer.beginNest(NFQA_CT);
      const label = this.#released;
      writer.copy(FLOW.labels, label, 0, label.length);
      // The others stay as they are.
      writer.copy(FLOW.labelsMask, label, 0, label.length);
      writer.endNest(nest);
    }
    writer.end();
    return writer.length;
  }
}
