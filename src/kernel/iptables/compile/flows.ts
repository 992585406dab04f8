/**
 * What rules of iptables remember of flows, where nf_tables has sets of them: who has begun UDP with servers in the LAN,
 * and which flows of IPv6 the proxy has begun. Pure.
 * @module
 */
import { Marks } from "../../../marks.ts";
import { hex } from "../../../net/hex.ts";
import type { Family } from "../../../net/ip.ts";
import type { PlannedChain, PlannedRule, PlannedSet, Statement } from "../../plan/model.ts";
import { RETURN as RETURN_STATEMENT, socketMark } from "../../plan/statements.ts";
import { type Action, type ActionContext, droppedMark, LOCAL, mayBeUdp, RETURN } from "./targets.ts";
import type { SourceRule } from "./chain_writer.ts";
import { type Fragment, type Match, one } from "./fragment.ts";
import { type IptablesChain, type IptablesJump, peersList, serversList } from "./model.ts";

/** One address each: the lists of `recent` hold no pairs, and no ports. */
const WHOLE: Readonly<Record<Family, string>> = {
  ipv4: "255.255.255.255",
  ipv6: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
};

type FlowSet = Extract<PlannedSet, { readonly timeoutSeconds: number }>;

/**
 * Answers of a server in the LAN: it is on one list, to whom it answers on another. A match of `recent` renews what it
 * finds; so the server is looked up twice, and renewed last.
 */
export function isAnswer(
  { family, set }: Extract<Statement, { kind: "remembered-flow" }>,
  sets: readonly PlannedSet[],
): Match {
  const { timeoutSeconds } = sets.find((each) => each.name === set) as FlowSet;
  const look = (action: string, list: "servers" | "peers", side: "source" | "dest") =>
    recent(family, { action: `${action} --seconds ${timeoutSeconds}`, list, side });
  return {
    any: [[
      look("--rcheck", "servers", "source"),
      look("--update", "peers", "dest"),
      look("--update", "servers", "source"),
    ]],
  };
}

/**
 * A chain for `raw`, which comes before conntrack and does not know answers for certain. What the chain refuses or drops it
 * only marks, and {@linkcode spareReplies} looks again; only what it hides from conntrack needs the lists. They know
 * addresses, not ports: what a server sends to one of its peers by itself is treated as if no proxy ran.
 */
export function deferAnswers(chain: PlannedChain): PlannedChain {
  const has = ({ statements }: PlannedRule, kind: Statement["kind"]) =>
    statements.some((statement) => statement.kind === kind);
  const steers = chain.rules.some((rule) => has(rule, "tproxy") && has(rule, "notrack"));
  const refusal = chain.rules.filter(({ statements }) => mayBeUdp(statements))
    .flatMap(({ statements }) => statements.filter(isRefusal)).at(-1) ?? RETURN_STATEMENT;
  const rules = chain.rules.flatMap((rule): PlannedRule[] => {
    if (!has(rule, "remembered-flow")) return [rule];
    if (!steers) return [];
    const matches = rule.statements.filter(({ kind }) =>
      ["family", "protocol", "remembered-flow"].includes(kind)
    );
    return [{ statements: [...matches, refusal], reason: rule.reason }];
  });
  return { ...chain, rules };
}

function isRefusal(statement: Statement): boolean {
  return statement.kind === "reject" || (statement.kind === "verdict" && statement.verdict === "drop");
}

/** In `mangle`, which comes after conntrack: answers lose the marks of `raw`, and what is to be dropped is dropped. */
export function spareReplies(mark: number, { drops }: { drops: boolean }): SourceRule[] {
  const marked = `-m mark ! --mark 0x0/${hex(new Marks(mark).dropped)}`;
  return [
    {
      matches: [one("protocol", "-p udp"), one("match", marked), one("match", "-m conntrack --ctdir REPLY")],
      target: "-g TPROXY_ANSWERS",
      reason: "Answers to who has begun the flow from elsewhere, as through a port forward",
    },
    ...(drops
      ? [{
        matches: [one("match", `-m mark --mark ${droppedMark(mark)}`)],
        target: "-j DROP",
        reason: "What raw would have dropped",
      }]
      : []),
  ];
}

/** The chain for answers. */
export function planAnswers(mark: number): IptablesChain {
  return {
    name: "TPROXY_ANSWERS",
    rules: [{
      text: `-j MARK --set-xmark 0x0/${hex(new Marks(mark).dropped)}`,
      reason: "As if nothing were installed",
    }],
    reason: "What servers in the LAN answer goes on its way",
  };
}

/** Writes down whom a packet comes from that goes into the LAN, and to whom it goes. */
export function remember(_statements: readonly Statement[], { family }: ActionContext): Action {
  const conditions: Match[] = [{
    any: [[
      notOfThisMachine(),
      recent(family, { action: "--set", list: "servers", side: "dest" }),
      recent(family, { action: "--set", list: "peers", side: "source" }),
    ]],
  }];
  return { target: RETURN, conditions };
}

function recent(
  family: Family,
  { action, list, side }: { action: string; list: "servers" | "peers"; side: "source" | "dest" },
): Fragment {
  const name = list === "servers" ? serversList(family) : peersList(family);
  return { kind: "match", text: `-m recent ${action} --name ${name} --mask ${WHOLE[family]} --r${side}` };
}

function notOfThisMachine(): Fragment {
  return { kind: "match", text: "-m addrtype ! --src-type LOCAL" };
}

/** The bit of connections, that of our sockets' mark: a packet that others give it to is not delivered by it. */
function connectionMark(mark: number): string {
  return `${hex(socketMark(mark))}/${hex(socketMark(mark))}`;
}

/** Where the chains of {@linkcode planUpstream} are entered. */
export const UPSTREAM_JUMPS: readonly IptablesJump[] = [
  { from: "OUTPUT", text: "-j TPROXY_UPSTREAM" },
  { from: "FORWARD", text: "-j TPROXY_FORWARDED" },
];

/** The chains that mark, in conntrack, what sockets with clients' addresses begin. */
export function planUpstream(mark: number): IptablesChain[] {
  const [bit] = connectionMark(mark).split("/");
  return [
    {
      name: "TPROXY_UPSTREAM",
      rules: [{
        text: "-m conntrack --ctstate NEW -m addrtype ! --src-type LOCAL -j CONNMARK --set-xmark " +
          connectionMark(mark),
        reason: "Sockets with clients' addresses",
      }],
      reason: "Flows of the proxy, to know what comes back of them",
    },
    {
      name: "TPROXY_FORWARDED",
      rules: [{
        text: `-m conntrack --ctstate SNAT --ctdir ORIGINAL -m connmark --mark ${connectionMark(mark)} ` +
          `-j CONNMARK --set-xmark 0x0/${bit}`,
        reason: "The client goes on with a flow of a proxy that is gone",
      }],
      reason: "Flows that are not the proxy's any more",
    },
  ];
}

/**
 * For IPv6: kernels before 6.15 do not undo NAT when the match `socket` looks for a socket, and none does so for what an
 * error is about. The twin of a rule with that match; none of a rule without.
 */
export function byConnectionMark(rule: SourceRule, mark: number): SourceRule[] {
  const begins = (text: string) => ({ any }: Match) =>
    any.some((all) => all.some((fragment) => fragment.text.startsWith(text)));
  if (!rule.matches.some(begins("-m socket"))) return [];
  const known: Match = {
    any: [[
      { kind: "match", text: "-m conntrack --ctstate SNAT --ctdir REPLY" },
      { kind: "match", text: `-m connmark --mark ${connectionMark(mark)}` },
    ]],
  };
  const others = rule.matches.filter((match) =>
    !begins("-m socket")(match) && !begins("-m conntrack")(match)
  );
  return [{
    matches: [...others, known],
    target: LOCAL,
    reason: "The same behind masquerade, where the packet has other addresses than the socket",
  }];
}
