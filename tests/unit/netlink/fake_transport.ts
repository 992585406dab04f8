/**
 * A kernel for tests, at the level of messages: a function from the messages of one datagram to the answers.
 * @module
 */
import { EAGAIN } from "../../../src/net/errno.ts";
import { AttributeWriter } from "../../../src/netlink/attribute.ts";
import { NetlinkConnection, type NetlinkTransport } from "../../../src/netlink/connection.ts";
import {
  decodeMessages,
  encodeMessages,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLM_F_MULTI,
  NLMSG_DONE,
  NLMSG_ERROR,
} from "../../../src/netlink/message.ts";

/** Answers the messages of a datagram. A number among the answers is a -errno that receive() returns. */
export type FakeKernel = (requests: readonly NetlinkMessage[]) => (NetlinkMessage | number)[];

/** A fake transport, and all that was sent through it, datagram by datagram. */
export interface FakeTransport extends NetlinkTransport {
  readonly sent: NetlinkMessage[][];
  readonly closed: boolean;
}

/** A transport whose other end is `kernel`. Answers that nobody waits for give -EAGAIN. */
export function fakeTransport(kernel: FakeKernel): FakeTransport {
  const queue: (NetlinkMessage | number)[] = [];
  const sent: NetlinkMessage[][] = [];
  let closed = false;
  return {
    sent,
    get closed() {
      return closed;
    },
    send(datagram) {
      const requests = decodeMessages(datagram.slice());
      sent.push(requests);
      queue.push(...kernel(requests));
      return datagram.length;
    },
    receive() {
      const next = queue.shift();
      if (next === undefined) return -EAGAIN;
      return typeof next === "number" ? next : encodeMessages([next]);
    },
    close() {
      closed = true;
    },
  };
}

/** A connection to a fake kernel. */
export function fakeConnection(kernel: FakeKernel): NetlinkConnection {
  return new NetlinkConnection(fakeTransport(kernel));
}

/** The acknowledgement of a request. */
export function ack(request: NetlinkMessage): NetlinkMessage {
  return nlError(request, 0);
}

/** The refusal of a request, with the kernel's words and the byte that it complains about. */
export function nlError(
  request: NetlinkMessage,
  errno: number,
  details: { text?: string; offset?: number; whole?: boolean } = {},
): NetlinkMessage {
  const quoted = encodeMessages([{ ...request, body: details.whole ? request.body : new Uint8Array(0) }]);
  new DataView(quoted.buffer).setUint32(0, 16 + request.body.length, true);
  const writer = new AttributeWriter().structure(new Uint8Array(new Int32Array([-errno]).buffer)).structure(
    quoted,
  );
  if (details.text !== undefined) writer.string(1, details.text);
  if (details.offset !== undefined) writer.u32(2, details.offset);
  const hasTlvs = details.text !== undefined || details.offset !== undefined;
  return {
    type: NLMSG_ERROR,
    flags: (details.whole ? 0 : NLM_F_CAPPED) | (hasTlvs ? NLM_F_ACK_TLVS : 0),
    sequence: request.sequence,
    portId: 0,
    body: writer.finish(),
  };
}

/** The answers to a dump: bodies as messages of `type`, then NLMSG_DONE. */
export function multipart(
  request: NetlinkMessage,
  answer: { type: number; bodies: readonly Uint8Array[]; flags?: number },
): NetlinkMessage[] {
  const flags = NLM_F_MULTI | (answer.flags ?? 0);
  const common = { flags, sequence: request.sequence, portId: 0 };
  return [
    ...answer.bodies.map((body) => ({ ...common, type: answer.type, body })),
    { ...common, type: NLMSG_DONE, body: new Uint8Array(4) },
  ];
}

/** Acknowledges every request that asks for it, as a kernel that refuses nothing. */
export function obedientKernel(requests: readonly NetlinkMessage[]): NetlinkMessage[] {
  return requests.filter((request) => (request.flags & NLM_F_ACK) !== 0).map(ack);
}

/**
 * A kernel that refuses the first nf_tables rule with an expression of that name, as one without its module
 * does.
 */
export function kernelWithout(expression: string): FakeKernel {
  const needle = new TextEncoder().encode(`${expression}\0`);
  return (requests) => {
    const answers: NetlinkMessage[] = [];
    for (const request of requests) {
      const at = request.type === 0xa06 ? indexOfBytes(request.body, needle) : -1;
      // The kernel points at the list element: its header and the name's are before the name.
      if (at >= 0) answers.push(nlError(request, 2, { offset: 16 + at - 8 }));
      else if ((request.flags & NLM_F_ACK) !== 0) answers.push(ack(request));
    }
    return answers;
  };
}

function indexOfBytes(bytes: Uint8Array, needle: Uint8Array): number {
  for (let start = 0; start + needle.length <= bytes.length; start++) {
    if (needle.every((byte, index) => bytes[start + index] === byte)) return start;
  }
  return -1;
}
