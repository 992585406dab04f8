/**
 * The config as a table of nf_tables. Each rule carries the reason why it is so. Pure.
 * @module
 */
import type { Config } from "../../config/types.ts";
import { DIVERT_PRIORITY, DIVERT_REPLIES_PRIORITY, TABLE_NAME, UNTRACKED_PRIORITY } from "../../constants.ts";
import type { Family } from "../../net/ip.ts";
import {
  bypassStatements,
  passRemembered,
  planBypassed,
  planBypassedSets,
} from "./concerns/remembered_passes.ts";
import { INTERCEPT_CHAIN, planIntercept, PORTS_SET } from "./concerns/intercept.ts";
import { comesFrom, type InterfaceGroup, leavesThrough, planInterfaceSet } from "./interface_match.ts";
import type { PlannedChain, PlannedRule, PlannedSet, PlannedTable, Statement } from "./model.ts";
import { applyPolicy, type Policy, type PolicyRule } from "./rule_matches.ts";
import { planRouter, planShownLife } from "./concerns/router.ts";
import { planRouterSets } from "./concerns/router_sets.ts";
import { planServed, planServedSets, spareAnswers } from "./concerns/lan_servers.ts";
import {
  ACCEPT,
  deliverLocally,
  FOR_OTHERS,
  newFlow,
  NOTRACK,
  RETURN,
  socketMark,
  SPARE_OWN,
} from "./statements.ts";

/** The table's comment, by which it is known as ours. */
export const TABLE_COMMENT = "made by tproxy install";

const LAN_SET = "lan";
const ACCEPTED_CHAIN = "accepted";

/** Most of what a router forwards: it is spared the rest of the chain. */
const TCP_PASSES: PlannedRule = {
  statements: [{ kind: "protocol", protocols: ["tcp"] }, ACCEPT],
  reason: "All other TCP goes on its way",
};

/** What the table is made from, besides the config. */
export interface TableOptions {
  readonly lan: readonly string[];
  /** Those of them that lead to clients alone. */
  readonly inner: readonly string[];
  /** Families to intercept: those of the config that this machine has. */
  readonly families: readonly Family[];
  /** The rules of the config, planned for these interfaces and families. */
  readonly policy: Policy;
}

/** The table that the config wants. */
export function planTable(config: Config, { lan, inner, families, policy }: TableOptions): PlannedTable {
  const accepted = planAccepted(config, policy.rules);
  return {
    name: TABLE_NAME,
    comment: TABLE_COMMENT,
    sets: [
      ...planInterfaceSet(ofClients(lan), "Interfaces whose clients are intercepted"),
      ...planPortsSet(config),
      ...planServedSets(config, families),
      ...planRouterSets(config, { families, inner }),
      ...planBypassedSets(config, { families, policy }),
      ...policy.sets,
    ],
    chains: [
      ...planBypassed(config, { families, policy }),
      ...planIntercept(config, {
        families,
        rules: policy.rules,
        bypass: bypassStatements(config, policy),
        spare: [SPARE_OWN, ...spareAnswers(config, families)],
      }),
      ...accepted,
      planDivert(config, { lan, families, policy, delivers: accepted.length > 0 }),
      planDivertReplies(config, { lan, families }),
      ...planServed(config, {
        families,
        intoLan: [fromLan(lan, { negate: true }), leavesThrough(ofClients(lan))],
      }),
      planUntracked(config, families),
      ...planRouter(config, {
        families,
        rules: policy.rules,
        inner,
        otherFamily: excludeOtherFamily(families),
      }),
    ],
  };
}

/** The interfaces of clients. */
function ofClients(lan: readonly string[]): InterfaceGroup {
  return { set: LAN_SET, names: lan };
}

/** What comes from clients, or all else. */
function fromLan(lan: readonly string[], options: { negate: boolean }): Statement {
  return comesFrom(ofClients(lan), options);
}

function planPortsSet({ intercept: { ports } }: Config): PlannedSet[] {
  if (ports === "all") return [];
  const reason = "Destination ports that are intercepted; all others pass";
  return [{ name: PORTS_SET, type: "inet_service", elements: ports, reason }];
}

function planDivert(
  config: Config,
  { lan, families, policy, delivers }: Omit<TableOptions, "inner"> & { readonly delivers: boolean },
): PlannedChain {
  const { protocols } = config.intercept;
  const rules: PlannedRule[] = [
    {
      statements: [fromLan(lan, { negate: true }), RETURN],
      reason: "Only what comes from clients",
    },
    ...excludeOtherFamily(families),
  ];
  const intercept: Statement = { kind: "goto", chain: INTERCEPT_CHAIN };
  if (protocols.includes("tcp")) {
    rules.push({
      statements: [newFlow("tcp"), intercept],
      // tproxy hands a SYN to the listener though a socket of the same addresses and ports is in TIME_WAIT.
      reason:
        "SYNs first: a socket in TIME_WAIT would answer a client that uses its port again, and be reset",
    }, ...planSockets(config, delivers));
    rules.push(TCP_PASSES);
  }
  if (protocols.includes("udp")) {
    rules.push(...passRemembered(config, { families, policy }));
    rules.push({ statements: [newFlow("udp"), intercept], reason: "Every datagram: UDP has no SYN" });
  }
  if (protocols.includes("tcp")) {
    rules.push(...planErrors(families, ["too-big"], [FOR_OTHERS, deliverLocally(config), NOTRACK, ACCEPT]));
  }
  return {
    name: "divert",
    hook: { hook: "prerouting", priority: DIVERT_PRIORITY },
    rules,
    reason:
      "The LAN side, before conntrack: the proxy's own leg has the same addresses and ports as the client's",
  };
}

/** The packets of connections that a transparent listener has accepted: ours, or that of a program to which flows are delivered. */
function planSockets(config: Config, delivers: boolean): PlannedRule[] {
  const found: Statement[] = [{ kind: "protocol", protocols: ["tcp"] }, { kind: "transparent-socket" }];
  const mark = socketMark(config.kernel.mark);
  return [
    {
      statements: [
        ...found,
        ...(delivers ? [{ kind: "socket-mark", mark } as const] : []),
        FOR_OTHERS,
        deliverLocally(config),
        NOTRACK,
        ACCEPT,
      ],
      reason: "Packets of connections that the proxy has accepted go to their socket",
    },
    ...(delivers
      ? [{
        statements: [...found, FOR_OTHERS, { kind: "goto", chain: ACCEPTED_CHAIN } as const],
        reason: "Other programs' connections; and ours, while there is no more of them than a request",
      }]
      : []),
  ];
}

/**
 * Whose a connection is tells the rule that its SYN has met: the socket itself has no mark while it is a request, at the
 * handshake's last packet. Only needed where rules deliver TCP.
 */
function planAccepted(config: Config, policy: readonly PolicyRule[]): PlannedChain[] {
  const rules = policy.filter(({ rule }) => rule.protocol !== "udp");
  const last = rules.findLastIndex(({ rule }) => rule.action === "deliver");
  if (last < 0 || !config.intercept.protocols.includes("tcp")) return [];
  const ours = [deliverLocally(config), NOTRACK, ACCEPT];
  const theirs = [deliverLocally(config), ACCEPT];
  return [{
    name: ACCEPTED_CHAIN,
    rules: [
      ...applyPolicy(rules.slice(0, last + 1), ({ action }) => action === "deliver" ? theirs : ours),
      { statements: ours, reason: "The connections of the proxy" },
    ],
    reason: "Conntrack sees the connections of other programs, as those expect, and not ours",
  }];
}

function planDivertReplies(
  config: Config,
  { lan, families }: { lan: readonly string[]; families: readonly Family[] },
): PlannedChain {
  return {
    name: "divert_replies",
    hook: { hook: "prerouting", priority: DIVERT_REPLIES_PRIORITY },
    rules: [
      {
        statements: [fromLan(lan, { negate: false }), RETURN],
        reason: "Only what comes from elsewhere",
      },
      ...excludeOtherFamily(families),
      ...planReplies(config),
      ...(config.intercept.protocols.includes("tcp") ? [TCP_PASSES] : []),
      ...planErrors(
        families,
        // About a port that is not the client's own, the client would not understand it.
        config.source === "client-address" ? ["too-big", "unreachable"] : ["too-big"],
        [deliverLocally(config), ACCEPT],
      ),
    ],
    reason: "The other side, after conntrack: replies to sockets that have clients' addresses",
  };
}

function planReplies(config: Config): PlannedRule[] {
  const { protocols } = config.intercept;
  const divert: Statement[] = [
    { kind: "transparent-socket" },
    deliverLocally(config),
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

/** Errors that routers on the way send about what our sockets have sent. They are addressed to whose address that had. */
function planErrors(
  families: readonly Family[],
  errors: readonly ("too-big" | "unreachable")[],
  action: readonly Statement[],
): PlannedRule[] {
  const reasons = {
    "too-big": "Path MTU: the error is for the socket that sends, which else would send too much for ever",
    unreachable: "Nobody is there: the socket tells the client",
  } as const;
  return errors.flatMap((error) =>
    families.map((family) => ({
      statements: [{ kind: "icmp-error", family, error }, { kind: "transparent-socket" }, ...action],
      reason: reasons[error],
    }))
  );
}

function planUntracked(config: Config, families: readonly Family[]): PlannedChain {
  return {
    name: "untracked",
    hook: { hook: "output", priority: UNTRACKED_PRIORITY },
    rules: [
      ...planShownLife(config, families),
      {
        statements: [{ kind: "mark", mark: socketMark(config.kernel.mark) }, NOTRACK],
        reason: "Sockets towards clients carry this mark (SO_MARK)",
      },
    ],
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
