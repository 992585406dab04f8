/**
 * Flows that rules of iptables remember, where nf_tables has sets of them: UDP that others have begun with
 * servers in the LAN, and the proxy's flows of IPv6. Pure.
 * @module
 */
import { ALIVE_LISTS, ALIVE_SECONDS, EVERYBODY } from "../../../constants.ts";
import type { Marks } from "../../../marks.ts";
import { hex } from "../../../net/hex.ts";
import type { Family } from "../../../net/ip.ts";
import type { Effect } from "../../plan/rules/effect.ts";
import type { PlannedSet } from "../../plan/rules/set.ts";
import type { SourceRule } from "./chain_writer.ts";
import { bits, type Fragment, type Match, matchOne } from "./fragment.ts";
import { type IptablesChain, type IptablesJump, peersList, serversList } from "./model.ts";

/** One address each: the lists of `recent` hold no pairs, and no ports. */
const WHOLE: Readonly<Record<Family, string>> = {
  ipv4: "255.255.255.255",
  ipv6: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
};

/**
 * Matches answers of a server in the LAN: it is on one list, to whom it answers on another. A match of
 * `recent` renews what it finds; so the server is looked up twice, and renewed last. The lists know
 * addresses, not ports: what a server sends to one of its peers by itself is treated as if no proxy ran.
 */
export function isAnswer(
  { family, set }: Extract<Effect, { kind: "pass-answer" }>,
  sets: readonly PlannedSet[],
): Match {
  const timeoutSeconds = timeoutOf(set, sets);
  const lookUp = (action: string, list: "servers" | "peers", side: "source" | "dest") =>
    recent(family, { action: `${action} --seconds ${timeoutSeconds}`, list, side });
  return {
    any: [[
      lookUp("--rcheck", "servers", "source"),
      lookUp("--update", "peers", "dest"),
      lookUp("--update", "servers", "source"),
    ]],
  };
}

function timeoutOf(name: string, sets: readonly PlannedSet[]): number {
  const set = sets.find((set) => set.name === name);
  if (set === undefined || !("timeoutSeconds" in set)) {
    throw new TypeError(`The plan has no set of flows ${name}`);
  }
  return set.timeoutSeconds;
}

/** Writes down whom a packet comes from that goes into the LAN, and to whom it goes. */
export function rememberEnds(family: Family): Match {
  return {
    any: [[
      { kind: "match", text: "-m addrtype ! --src-type LOCAL" },
      recent(family, { action: "--set", list: "servers", side: "dest" }),
      recent(family, { action: "--set", list: "peers", side: "source" }),
    ]],
  };
}

function recent(
  family: Family,
  { action, list, side }: { action: string; list: "servers" | "peers"; side: "source" | "dest" },
): Fragment {
  const name = list === "servers" ? serversList(family) : peersList(family);
  return { kind: "match", text: `-m recent ${action} --name ${name} --mask ${WHOLE[family]} --r${side}` };
}

/**
 * Matches while a proxy runs. All addresses are one to the list (a mask of zero): `tproxy run` is on it, or
 * nobody.
 */
export function proxyIsAlive(family: Family): Match {
  return matchOne(
    "match",
    `-m recent --rcheck --seconds ${ALIVE_SECONDS} --name ${ALIVE_LISTS[family]} --mask ${
      EVERYBODY[family]
    } --rsource`,
  );
}

/**
 * Exempts answers in `mangle`, which comes after conntrack: they lose the marks of `raw`, and what is to be
 * dropped is dropped.
 */
export function exemptAnswers({ dropped }: Marks, { drops }: { drops: boolean }): SourceRule[] {
  const marked = `-m mark ! --mark 0x0/${hex(dropped)}`;
  return [
    {
      matches: [
        matchOne("protocol", "-p udp"),
        matchOne("match", marked),
        matchOne("match", "-m conntrack --ctdir REPLY"),
      ],
      target: "-g TPROXY_ANSWERS",
      reason: "Answers to who has begun the flow from elsewhere, as through a port forward",
    },
    ...(drops
      ? [{
        matches: [matchOne("match", `-m mark --mark ${bits(dropped)}`)],
        target: "-j DROP",
        reason: "What raw would have dropped",
      }]
      : []),
  ];
}

/** Plans the chain for answers. */
export function planAnswers({ dropped }: Marks): IptablesChain {
  return {
    name: "TPROXY_ANSWERS",
    rules: [{ text: `-j MARK --set-xmark 0x0/${hex(dropped)}`, reason: "As if nothing were installed" }],
    reason: "What servers in the LAN answer goes on its way",
  };
}

/** The built-in chains that lead to those of {@linkcode planUpstream}. */
export const UPSTREAM_JUMPS: readonly IptablesJump[] = [
  { from: "OUTPUT", text: "-j TPROXY_UPSTREAM" },
  { from: "FORWARD", text: "-j TPROXY_FORWARDED" },
];

/**
 * Plans the chains that mark, in conntrack, what sockets with clients' addresses begin. The bit is that of
 * our sockets' mark: a packet that others give it to is not delivered by it.
 */
export function planUpstream({ clientSocket }: Marks): IptablesChain[] {
  return [
    {
      name: "TPROXY_UPSTREAM",
      rules: [{
        text: "-m conntrack --ctstate NEW -m addrtype ! --src-type LOCAL -j CONNMARK --set-xmark " +
          bits(clientSocket),
        reason: "Sockets with clients' addresses",
      }],
      reason: "Flows of the proxy, to know what comes back of them",
    },
    {
      name: "TPROXY_FORWARDED",
      rules: [{
        text: `-m conntrack --ctstate SNAT --ctdir ORIGINAL -m connmark --mark ${bits(clientSocket)} ` +
          `-j CONNMARK --set-xmark 0x0/${hex(clientSocket)}`,
        reason: "The client goes on with a flow of a proxy that is gone",
      }],
      reason: "Flows that are not the proxy's any more",
    },
  ];
}

/**
 * Matches packets that come back of masqueraded flows of the proxy, by the mark that {@linkcode planUpstream}
 * has left. IPv6 needs it: kernels before 6.15 do not undo NAT when the match `socket` looks for a socket,
 * and none does so for what an error is about.
 */
export function comesBack({ clientSocket }: Marks): Match {
  return {
    any: [[
      { kind: "match", text: "-m conntrack --ctstate SNAT --ctdir REPLY" },
      { kind: "match", text: `-m connmark --mark ${bits(clientSocket)}` },
    ]],
  };
}
