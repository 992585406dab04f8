/**
 * The config as a table of nf_tables. Each rule carries the reason why it is so. Pure.
 * @module
 */
import type { Config, Protocol } from "../config/types.ts";
import {
  DIVERT_PRIORITY,
  DIVERT_REPLIES_PRIORITY,
  LISTENER_IPV4,
  LISTENER_IPV6,
  SOCKET_MARK_SHIFT,
  TABLE_NAME,
  UNTRACKED_PRIORITY,
} from "../constants.ts";
import { type Family, parseIp } from "../net/ip.ts";
import type { PlannedChain, PlannedRule, PlannedSet, PlannedTable, Statement } from "./model.ts";

/** The table's comment, by which it is known as ours. */
export const TABLE_COMMENT = "made by tproxy install";

const LAN_SET = "lan";
const PORTS_SET = "ports";
const INTERCEPT_CHAIN = "intercept";
const ACCEPT: Statement = { kind: "verdict", verdict: "accept" };
const RETURN: Statement = { kind: "verdict", verdict: "return" };
const NOTRACK: Statement = { kind: "notrack" };
const LISTENERS: Readonly<Record<Family, string>> = { ipv4: LISTENER_IPV4, ipv6: LISTENER_IPV6 };

/** What the table is made from, besides the config. */
export interface TableOptions {
  readonly lan: readonly string[];
  /** Families to intercept: those of the config that this machine has. */
  readonly families: readonly Family[];
}

/** The table that the config wants. */
export function planTable(config: Config, options: TableOptions): PlannedTable {
  return {
    name: TABLE_NAME,
    comment: TABLE_COMMENT,
    sets: planSets(config, options.lan),
    chains: [
      planIntercept(config, options.families),
      planDivert(config, options.families),
      planDivertReplies(config, options.families),
      planUntracked(config),
    ],
  };
}

function planSets(config: Config, lan: readonly string[]): PlannedSet[] {
  const { ports } = config.intercept;
  const lanSet: PlannedSet = {
    name: LAN_SET,
    type: "ifname",
    elements: lan,
    reason: "Interfaces whose clients are intercepted",
  };
  if (ports === "all") return [lanSet];
  return [lanSet, {
    name: PORTS_SET,
    type: "inet_service",
    elements: ports,
    reason: "Destination ports that are intercepted; all others pass",
  }];
}

function planDivert(config: Config, families: readonly Family[]): PlannedChain {
  const { protocols } = config.intercept;
  const rules: PlannedRule[] = [
    {
      statements: [{ kind: "input-interface", set: LAN_SET, negate: true }, RETURN],
      reason: "Only what comes from clients",
    },
    ...excludeOtherFamily(families),
    {
      statements: [
        { kind: "destination-type", types: ["local", "broadcast", "anycast", "multicast"] },
        RETURN,
      ],
      reason: "The router's own services, SSH among them, are never intercepted",
    },
  ];
  if (protocols.includes("tcp")) {
    rules.push({
      statements: [{ kind: "bare-syn" }, { kind: "jump", chain: INTERCEPT_CHAIN }],
      // tproxy hands a SYN to the listener though a socket of the same addresses and ports is in TIME_WAIT.
      reason:
        "SYNs first: a socket in TIME_WAIT would answer a client that uses its port again, and be reset",
    }, {
      statements: [
        { kind: "protocol", protocols: ["tcp"] },
        { kind: "transparent-socket" },
        { kind: "set-mark", mask: config.kernel.mark },
        NOTRACK,
        ACCEPT,
      ],
      reason: "Packets of connections that the proxy has accepted go to their socket",
    });
  }
  rules.push({ statements: [{ kind: "jump", chain: INTERCEPT_CHAIN }], reason: "New flows" });
  return {
    name: "divert",
    hook: { hook: "prerouting", priority: DIVERT_PRIORITY },
    rules,
    reason:
      "The LAN side, before conntrack: the proxy's own leg has the same addresses and ports as the client's",
  };
}

function planIntercept(config: Config, families: readonly Family[]): PlannedChain {
  const { protocols, ports } = config.intercept;
  const rules: PlannedRule[] = [];
  if (ports !== "all") {
    rules.push({
      statements: [
        { kind: "protocol", protocols },
        { kind: "destination-port", set: PORTS_SET, negate: true },
        RETURN,
      ],
      reason: "intercept.ports",
    });
  }
  for (const family of families) {
    for (const protocol of protocols) rules.push(planSteering(config, { family, protocol }));
  }
  for (const protocol of protocols) rules.push(...planFailure(config, protocol));
  return {
    name: INTERCEPT_CHAIN,
    rules,
    reason: "What becomes of a new flow",
  };
}

function planSteering(config: Config, flow: { family: Family; protocol: Protocol }): PlannedRule {
  const address = parseIp(LISTENERS[flow.family])!;
  const isTcp = flow.protocol === "tcp";
  return {
    statements: [
      { kind: "family", family: flow.family },
      isTcp ? { kind: "bare-syn" } : { kind: "protocol", protocols: ["udp"] },
      { kind: "tproxy", to: { address, port: config.listener.port } },
      { kind: "set-mark", mask: config.kernel.mark },
      NOTRACK,
      ACCEPT,
    ],
    reason: isTcp
      ? "Bare SYNs only, so that connections that exist already go on; without a listener the rule does not match"
      : "UDP asks for the listener first: a socket with a foreign address would take other clients' packets",
  };
}

/** What follows when no proxy is running: nothing (the packet is forwarded), or one rule for each protocol. */
function planFailure(config: Config, protocol: Protocol): PlannedRule[] {
  const { onFailure } = config.intercept;
  if (onFailure === "open") return [];
  const matches: Statement = protocol === "tcp"
    ? { kind: "bare-syn" }
    : { kind: "protocol", protocols: ["udp"] };
  const action: Statement = onFailure === "drop"
    ? { kind: "verdict", verdict: "drop" }
    : { kind: "reject", answer: protocol === "tcp" ? "tcp-reset" : "port-unreachable" };
  return [{
    statements: [matches, action],
    reason: `intercept.on-failure: ${onFailure}; no proxy is running`,
  }];
}

function planDivertReplies(config: Config, families: readonly Family[]): PlannedChain {
  return {
    name: "divert_replies",
    hook: { hook: "prerouting", priority: DIVERT_REPLIES_PRIORITY },
    rules: [
      {
        statements: [{ kind: "input-interface", set: LAN_SET, negate: false }, RETURN],
        reason: "Only what comes from elsewhere",
      },
      ...excludeOtherFamily(families),
      ...planReplies(config),
    ],
    reason: "The other side, after conntrack: replies to sockets that have clients' addresses",
  };
}

function planReplies(config: Config): PlannedRule[] {
  const { protocols } = config.intercept;
  const divert: Statement[] = [
    { kind: "transparent-socket" },
    { kind: "set-mark", mask: config.kernel.mark },
    ACCEPT,
  ];
  const all = "Packets of a socket that has a client's address go to it, not to the client";
  if (!protocols.includes("udp") || config.udp.filtering === "endpoint-independent") {
    return [{ statements: [{ kind: "protocol", protocols }, ...divert], reason: all }];
  }
  return protocols.map((protocol) =>
    protocol === "tcp"
      ? { statements: [{ kind: "protocol", protocols: ["tcp"] }, ...divert], reason: all }
      : {
        statements: [{ kind: "protocol", protocols: ["udp"] }, { kind: "known-flow" }, ...divert],
        reason: "The same for answers; a datagram that nobody asked for is the router's firewall's business",
      }
  );
}

function planUntracked(config: Config): PlannedChain {
  return {
    name: "untracked",
    hook: { hook: "output", priority: UNTRACKED_PRIORITY },
    rules: [{
      statements: [{ kind: "mark", mask: socketMark(config.kernel.mark) }, NOTRACK],
      reason: "Sockets towards clients carry this mark (SO_MARK)",
    }],
    reason: "What the proxy sends to clients stays out of conntrack, as what it receives from them does",
  };
}

/** With one family only, transparent sockets of the other are other programs'. */
function excludeOtherFamily(families: readonly Family[]): PlannedRule[] {
  if (families.length !== 1) return [];
  const other: Family = families[0] === "ipv4" ? "ipv6" : "ipv4";
  return [{
    statements: [{ kind: "family", family: other }, RETURN],
    reason: `intercept.families: ${families[0]} only`,
  }];
}

/** The mark (SO_MARK) of the sockets towards clients, given the mark of intercepted packets. */
export function socketMark(mark: number): number {
  return mark * 2 ** SOCKET_MARK_SHIFT;
}
