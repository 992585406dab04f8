/**
 * The kernel's answer to "where would this packet go?". The codec is pure.
 * @module
 */
import { formatIp, type IpAddress } from "../../net/ip.ts";
import { AttributeWriter } from "../attribute.ts";
import type { NetlinkConnection } from "../connection.ts";
import { familyNumber, routeRequest, RTM_GETROUTE, RTM_NEWROUTE } from "./message.ts";
import { decodeRoute, type Route } from "./route.ts";

/** sizeof(struct rtmsg) */
const HEADER_SIZE = 12;
// linux/rtnetlink.h: enum rtattr_type_t
const RTA_DST = 1;
const RTA_SRC = 2;
const RTA_IIF = 3;
const RTA_MARK = 16;
const RTA_IP_PROTO = 27;
const RTA_SPORT = 28;
const RTA_DPORT = 29;

/** A packet whose way is asked for. */
export interface RouteQuestion {
  /** Destination address (RTA_DST). */
  readonly to: IpAddress;
  /** Source address (RTA_SRC). */
  readonly from?: IpAddress;
  /** fwmark (RTA_MARK). */
  readonly mark?: number;
  /** The index of the interface that it comes in by; without it, it is the router's own. */
  readonly iif?: number;
  /** IP protocol, for rules that ask for it (RTA_IP_PROTO). */
  readonly protocol?: number;
  /** Source port, for the same (RTA_SPORT). */
  readonly sourcePort?: number;
  /** Destination port, for the same (RTA_DPORT). */
  readonly destinationPort?: number;
}

/** The body of RTM_GETROUTE. */
export function encodeRouteQuestion(question: RouteQuestion): Uint8Array {
  const bits = question.to.bytes.length * 8;
  const structure = new Uint8Array(HEADER_SIZE);
  structure[0] = familyNumber(question.to.family);
  structure[1] = bits;
  structure[2] = question.from === undefined ? 0 : bits;
  const writer = new AttributeWriter().structure(structure).bytes(RTA_DST, question.to.bytes);
  if (question.from !== undefined) writer.bytes(RTA_SRC, question.from.bytes);
  if (question.iif !== undefined) writer.u32(RTA_IIF, question.iif);
  if (question.mark !== undefined) writer.u32(RTA_MARK, question.mark);
  if (question.protocol !== undefined) writer.u8(RTA_IP_PROTO, question.protocol);
  if (question.sourcePort !== undefined) writer.u16be(RTA_SPORT, question.sourcePort);
  if (question.destinationPort !== undefined) writer.u16be(RTA_DPORT, question.destinationPort);
  return writer.finish();
}

/**
 * The route that the kernel takes; ENETUNREACH and the like are thrown. Equivalent to: ip route get TO from
 * FROM iif NAME mark 1
 */
export function lookUpRoute(connection: NetlinkConnection, question: RouteQuestion): Route {
  const object = formatIp(question.to);
  const replies = connection.execute(routeRequest(RTM_GETROUTE, encodeRouteQuestion(question)), {
    operation: "look up route to",
    object,
  });
  const answer = replies.find((message) => message.type === RTM_NEWROUTE);
  const route = answer && decodeRoute(answer.body);
  if (route === undefined) throw new RangeError(`Cannot look up route to "${object}": the answer is empty`);
  return route;
}
