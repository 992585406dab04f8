/** A kernel that lacks things, at the netlink transport, for the probes of doctor. */
import type { ProbeTools } from "../../../../src/doctor/probes/probe_kernel.ts";
import { ENOENT, EOPNOTSUPP } from "../../../../src/net/errno.ts";
import { OperationError } from "../../../../src/net/error.ts";
import { type Family, parsePrefix } from "../../../../src/net/ip.ts";
import { NetlinkConnection } from "../../../../src/netlink/connection.ts";
import { type NetlinkMessage, NLM_F_ACK, NLM_F_DUMP } from "../../../../src/netlink/message.ts";
import { encodeRoute } from "../../../../src/netlink/route/route.ts";
import type { RouteType } from "../../../../src/netlink/route/route_type.ts";
import {
  ack,
  type FakeKernel,
  type FakeTransport,
  fakeTransport,
  kernelWithout,
  multipart,
  nlError,
} from "../../netlink/fake_transport.ts";

// linux/rtnetlink.h, linux/netfilter/nfnetlink.h
const RTM_GETLINK = 18;
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;
const RTM_NEWRULE = 32;
const COMPAT_GET = 11 << 8;
const BATCH_BEGIN = 16;

/** Lacks of the kernel; errnos are positive. */
export interface Lacks {
  /** An expression of nf_tables, by the kernel's name of it. */
  readonly expression?: string;
  /** Answer to a batch: without privilege, or without nf_tables. */
  readonly batch?: number;
  /** Answer to a question to nft_compat. */
  readonly compat?: number;
  /** Answer to a question to ip_tables. */
  readonly legacy?: number;
  /** Answer to the opening of a netfilter socket. */
  readonly netfilter?: number;
  /** Answer to a new routing rule, of one family or of both. */
  readonly rule?: Partial<Record<Family, number>>;
  /** Answer to a new route. */
  readonly route?: number;
  /** The type of the route that a marked packet takes. */
  readonly routeType?: RouteType;
  /** Answer to the opening of a transparent socket. */
  readonly transparent?: Partial<Record<Family, number>>;
  /** Answer to the opening of a raw socket. */
  readonly rawUdp?: Partial<Record<Family, number>>;
  /** A match or target of iptables, by its name in rules. */
  readonly extension?: string;
  /** Key of a flow that nf_tables cannot see: its mark. */
  readonly key?: "mark";
}

/** A fake, and what it was sent. */
export interface FakeMachine {
  readonly tools: ProbeTools;
  readonly route: FakeTransport;
  readonly netfilter: FakeTransport;
}

/** A kernel that can do everything but that. */
export function fakeMachine(lacks: Lacks): FakeMachine {
  const route = fakeTransport((requests) => requests.flatMap((request) => answerRoute(request, lacks)));
  const netfilter = fakeTransport(netfilterKernel(lacks));
  return {
    route,
    netfilter,
    tools: {
      openNetlink(protocol) {
        if (protocol === "netfilter" && lacks.netfilter !== undefined) {
          const errno = lacks.netfilter;
          throw new OperationError({ operation: "open netlink socket", object: "nfnetlink", errno });
        }
        return new NetlinkConnection(protocol === "route" ? route : netfilter);
      },
      tryTransparent: (family) => -(lacks.transparent?.[family] ?? 0),
      tryRawUdp: (family) => -(lacks.rawUdp?.[family] ?? 0),
      askLegacy: ({ name }) => -(lacks.legacy ?? (lacks.extension === name ? ENOENT : 0)),
    },
  };
}

function netfilterKernel(lacks: Lacks): FakeKernel {
  const rules = kernelWithout(lacks.expression ?? "nothing of that name");
  return (requests) => {
    const [first] = requests;
    if (first.type === COMPAT_GET) {
      const { extension } = lacks;
      // The name is the first attribute, after the header of nfnetlink.
      const [asked] = new TextDecoder("latin1").decode(first.body.subarray(8)).split("\0");
      const lacking = extension === asked ? ENOENT : undefined;
      const errno = lacks.compat ?? lacking;
      return [errno === undefined ? ack(first) : nlError(first, errno)];
    }
    const marked = lacks.key === undefined ? undefined : requests.find(asksForFlowMark);
    if (marked !== undefined) return [nlError(marked, EOPNOTSUPP), ...rules([requests.at(-2)!])];
    if (first.type === BATCH_BEGIN && lacks.batch !== undefined) return [nlError(first, lacks.batch)];
    return rules(requests);
  };
}

/** NFTA_CT_KEY is NFT_CT_MARK. */
function asksForFlowMark({ body }: NetlinkMessage): boolean {
  return new TextDecoder("latin1").decode(body).includes("ct\0") &&
    [...body.keys()].some((at) => [8, 0, 2, 0, 0, 0, 0, 3].every((byte, index) => body[at + index] === byte));
}

function answerRoute(request: NetlinkMessage, lacks: Lacks): NetlinkMessage[] {
  const family: Family = request.body[0] === 2 ? "ipv4" : "ipv6";
  const isDump = (request.flags & NLM_F_DUMP) === NLM_F_DUMP;
  if (request.type === RTM_GETLINK && isDump) return multipart(request, { type: 0, bodies: [] });
  if (request.type === RTM_GETROUTE) return [routeAnswer(request, family, lacks), ack(request)];
  const errno = request.type === RTM_NEWRULE
    ? lacks.rule?.[family]
    : request.type === RTM_NEWROUTE
    ? lacks.route
    : undefined;
  if (errno !== undefined) return [nlError(request, errno)];
  return (request.flags & NLM_F_ACK) === 0 ? [] : [ack(request)];
}

function routeAnswer(request: NetlinkMessage, family: Family, lacks: Lacks): NetlinkMessage {
  const type = lacks.routeType ?? "local";
  const destination = parsePrefix(family === "ipv4" ? "192.0.2.1/32" : "2001:db8::1/128")!;
  const body = encodeRoute({ family, table: 100, type, protocol: 0, scope: 0, destination });
  return { ...request, type: RTM_NEWROUTE, flags: 0, body };
}
