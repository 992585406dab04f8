/** Datagrams that a proxy sends: made by the code that sends them, caught before the kernel. */
import { AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP, SOCK_DGRAM } from "../../../../../ffi/consts.ts";
import { makeSockaddr, writeSockaddr } from "../../../../../ffi/sockets/sockaddr.ts";
import { bindSocket, closeFd, openNonBlocking } from "../../../../../ffi/sockets/socket.ts";
import {
  DEFAULT_MARK,
  DEFAULT_PORT,
  DEFAULT_ROUTE_TABLE,
  LOOPBACK,
  ROUTE_PROTOCOL,
  RULE_PRIORITY,
  TABLE_NAME,
  watchGroup,
} from "../../../../../src/constants.ts";
import { Passage } from "../../../../../src/dataplane/routes/passage.ts";
import { NetlinkSocket } from "../../../../../src/dataplane/routes/netlink_socket.ts";
import { RouteQuestion } from "../../../../../src/dataplane/routes/route_question.ts";
import { KnownFlow } from "../../../../../src/dataplane/watching/datagrams/known_flow.ts";
import { Teller } from "../../../../../src/dataplane/watching/datagrams/teller.ts";
import { NF_ACCEPT, VerdictWriter } from "../../../../../src/dataplane/watching/queue/verdict.ts";
import { replaceContents } from "../../../../../src/kernel/live/replacement.ts";
import { queueTrialTables, trialTables, watchTrialTables } from "../../../../../src/kernel/live/trial.ts";
import { addContents, replaceTable } from "../../../../../src/kernel/nft/batch.ts";
import type { CompiledTable } from "../../../../../src/kernel/nft/model.ts";
import { planSteps } from "../../../../../src/kernel/nft/replacing/steps.ts";
import { beginTrial } from "../../../../../src/kernel/nft/trial/batches.ts";
import type { PlannedSet } from "../../../../../src/kernel/plan/rules/set.ts";
import { planEchoes } from "../../../../../src/kernel/routing/echoes.ts";
import { LOOPBACK_INDEX } from "../../../../../src/kernel/routing/ours.ts";
import { Marks, withBits } from "../../../../../src/marks.ts";
import { EAGAIN } from "../../../../../src/net/errno.ts";
import { OperationError } from "../../../../../src/net/error.ts";
import { parseEndpoint } from "../../../../../src/net/ip.ts";
import { NetlinkConnection } from "../../../../../src/netlink/connection.ts";
import { absentFlow } from "../../../../../src/netlink/flow.ts";
import { encodeMessages, NLM_F_REQUEST } from "../../../../../src/netlink/message.ts";
import { NftBatch } from "../../../../../src/netlink/nft/batch.ts";
import { hasFlowTables, listTables } from "../../../../../src/netlink/nft/table.ts";
import { readGeneration } from "../../../../../src/netlink/nft/generation.ts";
import { listRules as listNftRules } from "../../../../../src/netlink/nft/rule.ts";
import { queueRequests } from "../../../../../src/netlink/queue.ts";
import { addRoute, deleteRoute, listRoutes, type Route } from "../../../../../src/netlink/route/route.ts";
import { addRule, deleteRule, listRules, type RoutingRule } from "../../../../../src/netlink/route/rule.ts";
import type { NetlinkLimits } from "../../../../../src/netlink/served/server.ts";

const marks = new Marks(DEFAULT_MARK, { apart: true });

/** The limits of a proxy whose config says nothing of all that. */
export const LIMITS: NetlinkLimits = {
  marks: withBits(withBits(marks.all, marks.pin), new Marks(DEFAULT_MARK).all),
  table: DEFAULT_ROUTE_TABLE,
  port: DEFAULT_PORT,
};

/** A datagram, and what it does. */
export interface OwnDatagram {
  readonly what: string;
  readonly datagram: Uint8Array;
}

/** Catches the first datagram of a work; nobody answers. */
export function caught(work: (connection: NetlinkConnection) => unknown): Uint8Array {
  let sent: Uint8Array | undefined;
  const connection = new NetlinkConnection({
    send(datagram) {
      sent ??= datagram.slice();
      return datagram.length;
    },
    receive: () => -EAGAIN,
    close() {},
  });
  try {
    work(connection);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
  }
  if (sent === undefined) throw new Error("it sends nothing");
  return sent;
}

/** A routing rule of an install. */
export const RULE: RoutingRule = {
  family: "ipv4",
  priority: RULE_PRIORITY,
  protocol: ROUTE_PROTOCOL,
  table: DEFAULT_ROUTE_TABLE,
  mark: marks.intercepted,
  mask: marks.intercepted,
  iifname: "r0",
};
/** The route of an install. */
export const ROUTE: Route = {
  family: "ipv4",
  table: DEFAULT_ROUTE_TABLE,
  type: "local",
  protocol: ROUTE_PROTOCOL,
  scope: 254,
  outLinkIndex: LOOPBACK_INDEX,
};

/** Makes the batches of an install over another. */
function stepsAfter(installed: CompiledTable): Readonly<Record<string, NftBatch>> {
  const ranges: PlannedSet = {
    name: "rule0_ports",
    type: "inet_service",
    elements: [{ first: 80, last: 82 }],
    reason: "",
  };
  const table = { ...installed, sets: [...installed.sets, ranges] };
  const where = { family: "inet", table: TABLE_NAME } as const;
  const there = {
    table: { family: "inet", name: TABLE_NAME },
    chains: [{ ...where, name: "divert" }],
    sets: [{ ...where, name: "lan", type: ["ifname"] }],
  } as const;
  const { sets, rules, undo } = planSteps(table, there, new NftBatch())!;
  return { "sets of an install": sets, "rules of an install": rules, "no sets after all": undo };
}

/** Datagrams to nf_tables, conntrack, NFLOG and NFQUEUE. */
export function netfilterDatagrams(): OwnDatagram[] {
  const families = ["ipv4", "ipv6"] as const;
  const [installed, live] = trialTables(families);
  const [, watching] = watchTrialTables(families);
  const [, queueing] = queueTrialTables(families);
  const trial = (() => {
    const name = "transparent_proxy_trial_123_0";
    const batch = new NftBatch().addTable({ family: "inet", name, flags: ["dormant", "owner"] });
    addContents(batch, { ...live, name });
    return batch;
  })();
  const set = { family: "inet", table: TABLE_NAME, name: "running" } as const;
  const batches: Readonly<Record<string, NftBatch>> = {
    "install": replaceTable(installed),
    ...stepsAfter(installed),
    "make the live table": new NftBatch().addTable({ family: "inet", ...live, flags: ["owner"] }),
    "fill it": replaceContents({ sets: [], chains: [] }, live),
    "watch": replaceContents(live, watching),
    "watch by queues": replaceContents(watching, queueing),
    "try": trial,
    "begin a trial": beginTrial(installed, undefined, 60_000),
    "uninstall": new NftBatch().deleteTable({ family: "inet", name: TABLE_NAME }),
    "withdraw the sign of life": new NftBatch().deleteElements(set, [{ key: Uint8Array.of(2) }]),
    "empty a set": new NftBatch().flushSet(set),
    "delete a rule": new NftBatch().deleteRule({ family: "inet", table: TABLE_NAME, chain: "c", handle: 7n }),
  };
  const reads: Readonly<Record<string, (connection: NetlinkConnection) => unknown>> = {
    "list tables": (connection) => listTables(connection),
    "list rules": (connection) => listNftRules(connection, { family: "ip", table: "filter" }),
    "list flow tables": hasFlowTables,
    "read the generation": readGeneration,
    "look for a flow": (connection) => connection.execute(absentFlow(), { operation: "o", object: "o" }),
  };
  return [
    ...Object.entries(batches).map(([what, batch]) => ({
      what,
      datagram: caught((connection) => batch.commit(connection)),
    })),
    ...Object.entries(reads).map(([what, read]) => ({ what, datagram: caught(read) })),
    ...queueRequests(watchGroup(DEFAULT_PORT, 1)).map((request) => ({
      what: "bind a queue",
      datagram: encodeMessages([{ ...request, flags: NLM_F_REQUEST, sequence: 1, portId: 0 }]),
    })),
    ...verdicts(),
    ...flows(),
  ];
}

function verdicts(): OwnDatagram[] {
  const writer = new VerdictWriter(watchGroup(DEFAULT_PORT, 0));
  return [true, false].map((release) => {
    const length = writer.write(9, NF_ACCEPT, release);
    return { what: "verdict", datagram: writer.bytes.slice(0, length) };
  });
}

/** Entries of conntrack, as workers make them. */
function flows(): OwnDatagram[] {
  const found: OwnDatagram[] = [];
  const ask = NetlinkSocket.prototype.ask;
  NetlinkSocket.prototype.ask = function ({ bytes, length }) {
    found.push({ what: "flow", datagram: bytes.slice(0, length) });
    // Twice, with a deletion between.
    return -17;
  };
  try {
    for (const [client, server] of [["127.0.0.1:0", "192.0.2.1:443"], ["[::1]:0", "[2001:db8::1]:443"]]) {
      const sockaddr = (text: string) => {
        const address = makeSockaddr();
        writeSockaddr(address, parseEndpoint(text)!);
        return address;
      };
      const [source, destination] = [sockaddr(client), sockaddr(server)];
      const fd = openNonBlocking(source[0] === AF_INET ? AF_INET : AF_INET6, SOCK_DGRAM);
      bindSocket(fd, source);
      const passage = new Passage(new RouteQuestion(new NetlinkSocket({ protocol: 0, privileged: false })));
      for (const protocol of [IPPROTO_TCP, IPPROTO_UDP]) passage.open(fd, protocol, destination, 0);
      closeFd(fd);
      const flow = new KnownFlow();
      const bytes = new Uint8Array(flow.ends.buffer);
      [source, destination, sockaddr(server), destination].forEach((end, place) =>
        bytes.set(end, place * (bytes.length / 4))
      );
      flow.mark = 7;
      new Teller().tell(flow);
    }
  } finally {
    NetlinkSocket.prototype.ask = ask;
  }
  return found;
}

/** Datagrams to rtnetlink. */
export function routeDatagrams(): OwnDatagram[] {
  const pin: RoutingRule = { ...RULE, mark: marks.pin, mask: marks.pin, table: 254 };
  const foreign: RoutingRule = {
    ...RULE,
    protocol: 0,
    priority: 5210,
    mark: 0x80000,
    mask: 0xffffffff,
    table: 52,
    iifname: LOOPBACK,
  };
  const [echo] = planEchoes([foreign], marks.intercepted);
  const works: Readonly<Record<string, (connection: NetlinkConnection) => unknown>> = {
    "add a rule": (connection) => addRule(connection, RULE),
    "add a rule of IPv6": (connection) => addRule(connection, { ...RULE, family: "ipv6" }),
    "pin": (connection) => addRule(connection, pin),
    "echo": (connection) => addRule(connection, echo),
    "delete a rule": (connection) => deleteRule(connection, RULE),
    "delete one of another config": (connection) =>
      deleteRule(connection, { ...RULE, mark: 1 << 20, mask: 1 << 20 }),
    "add the route": (connection) => addRoute(connection, ROUTE),
    "delete the route": (connection) => deleteRoute(connection, { ...ROUTE, family: "ipv6", table: 1000 }),
    "list rules": (connection) => listRules(connection, "ipv4"),
    "list routes": (connection) => listRoutes(connection, { family: "ipv6" }),
  };
  return Object.entries(works).map(([what, work]) => ({ what, datagram: caught(work) }));
}
