/**
 * Flows as conntrack knows them; see linux/netfilter/nfnetlink_conntrack.h. Pure.
 * @module
 */
import { AttributeWriter } from "./attribute.ts";
import type { NetlinkRequest } from "./message.ts";

const AF_INET = 2;
const IPPROTO_UDP = 17;

/** NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW */
export const NEW_FLOW = 0x100;
/** NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET */
const GET_FLOW = 0x101;

/** Attributes of a flow (CTA_*). */
export const FLOW = {
  original: 1,
  reply: 2,
  status: 3,
  natSource: 6,
  timeout: 7,
  mark: 8,
  natDestination: 13,
  labels: 22,
  labelsMask: 23,
} as const;
/** Of one of its directions (CTA_TUPLE_*). */
export const DIRECTION = { ip: 1, protocol: 2 } as const;
/** Of its addresses (CTA_IP_*). */
export const FLOW_IP = { source4: 1, destination4: 2, source6: 3, destination6: 4 } as const;
/** Of its protocol (CTA_PROTO_*). */
export const FLOW_PROTOCOL = { number: 1, sourcePort: 2, destinationPort: 3 } as const;
/** Of a translation (CTA_NAT_*, CTA_PROTONAT_*). */
export const TRANSLATION = {
  first4: 1,
  last4: 2,
  ports: 3,
  first6: 4,
  last6: 5,
  // Of the ports alone.
  firstPort: 1,
  lastPort: 2,
} as const;
/** Bits of {@linkcode FLOW.status} (IPS_*). */
export const FLOW_STATUS = { answered: 0x02, confirmed: 0x08 } as const;

/** The 128 labels of a flow as the kernel has them in memory, of which this one is set. */
export function labelBytes(label: number): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes[label >> 3] = 1 << (label & 7);
  return bytes;
}

/** Asks for a flow that cannot be there, from nowhere to nowhere: a kernel that knows answers ENOENT. */
export function absentFlow(): NetlinkRequest {
  const nowhere = new Uint8Array(4);
  const writer = new AttributeWriter();
  writer.structure(new Uint8Array([AF_INET, 0, 0, 0])); // struct nfgenmsg
  writer.nest(FLOW.original, (direction) => {
    direction.nest(DIRECTION.ip, (ip) => {
      ip.bytes(FLOW_IP.source4, nowhere).bytes(FLOW_IP.destination4, nowhere);
    });
    direction.nest(DIRECTION.protocol, (protocol) => {
      protocol.u8(FLOW_PROTOCOL.number, IPPROTO_UDP).u16be(FLOW_PROTOCOL.sourcePort, 0)
        .u16be(FLOW_PROTOCOL.destinationPort, 0);
    });
  });
  return { type: GET_FLOW, body: writer.finish() };
}
