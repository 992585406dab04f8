/**
 * Effects of planned rules in the words of iptables. Pure.
 *
 * The tables share the work, since each target is valid in one of them alone: `raw` decides and leaves marks, as it is
 * before conntrack; `mangle` gives marked packets to sockets; `filter` answers those that are refused.
 * @module
 */
import type { Marks } from "../../../marks.ts";
import { type Endpoint, formatIp } from "../../../net/ip.ts";
import type { Effect } from "../../plan/rules/effect.ts";
import { chainName } from "./chain_writer.ts";
import type { FamilyContext } from "./context.ts";
import type { IptablesChain } from "./model.ts";
import { bits, cannotSay, markWith, RETURN } from "./words.ts";

/** The packet's connection is the proxy's. */
const OURS = "-g TPROXY_OURS";
/** The packet goes to a socket of this machine. */
export const LOCAL = "-g TPROXY_LOCAL";
/** The packet will be refused. */
const REFUSED = "-g TPROXY_REFUSED";
/** The packet will be dropped, if it is no answer to a flow that others have begun: conntrack knows. */
const DROPPED = "-g TPROXY_DROPPED";

/** Finds the target of an effect in `raw`. */
export function rawTarget(effect: Effect): string {
  switch (effect.kind) {
    case "leave":
    case "pass":
    case "pass-answer":
    // The lists of iptables hold no flows; what passes asks the rules again.
    case "remember":
      return RETURN;
    case "go":
      return `-g ${chainName(effect.to)}`;
    case "proxy":
      return OURS;
    case "program":
      return LOCAL;
    case "socket":
      return effect.tracked ? LOCAL : OURS;
    case "refuse":
      return REFUSED;
    case "drop":
      return effect.protocols.includes("udp") ? DROPPED : "-j DROP";
    case "untrack":
      return "-j CT --notrack";
    case "loop-back":
    case "forget-note":
    case "receive":
    case "show-life":
      throw cannotSay(effect.kind);
    default:
      return effect satisfies never;
  }
}

/** Finds the target of an effect on a marked packet in `mangle`, whose chains lead to listeners alone. */
export function mangleTarget(effect: Effect, { chains, scope: { marks } }: FamilyContext): string {
  switch (effect.kind) {
    case "leave":
    case "pass":
    case "pass-answer":
    case "refuse":
      return RETURN;
    case "go": {
      const place = chains.find(({ name }) => name === effect.to)?.place;
      return place === "listener" ? `-g ${chainName(effect.to)}` : RETURN;
    }
    case "proxy":
    case "program":
      return steer(effect.to, marks);
    case "socket":
      return LOCAL;
    case "drop":
      return "-j DROP";
    case "remember":
    case "untrack":
    case "loop-back":
    case "forget-note":
    case "receive":
    case "show-life":
      throw cannotSay(effect.kind);
    default:
      return effect satisfies never;
  }
}

/** Gives a packet to a listener. */
function steer({ address, port }: Endpoint, { intercepted }: Marks): string {
  return `-j TPROXY --on-port ${port} --on-ip ${formatIp(address)} --tproxy-mark ${bits(intercepted)}`;
}

/** Plans the chains that the targets of `raw` lead to. */
export function rawEnds({ intercepted, refused, dropped }: Marks): IptablesChain[] {
  const set = {
    text: markWith(intercepted),
    reason: "A routing rule delivers what is marked to this machine",
  };
  return [
    {
      name: "TPROXY_OURS",
      rules: [set, {
        text: "-j CT --notrack",
        reason: "The proxy's own leg has the same addresses and ports",
      }],
      reason: "To the proxy, unseen by conntrack",
    },
    { name: "TPROXY_LOCAL", rules: [set], reason: "To another program, which conntrack sees" },
    {
      name: "TPROXY_REFUSED",
      rules: [{ text: markWith(refused), reason: "REJECT is valid in the table filter alone" }],
      reason: "To be refused when it is forwarded",
    },
    {
      name: "TPROXY_DROPPED",
      rules: [{ text: markWith(dropped), reason: "Conntrack must see it first: it may be an answer" }],
      reason: "To be dropped by mangle",
    },
  ];
}

/** Plans the chain that the targets of `mangle` lead to. */
export function mangleEnds({ intercepted }: Marks): IptablesChain[] {
  return [{
    name: "TPROXY_LOCAL",
    rules: [
      { text: markWith(intercepted), reason: "A routing rule delivers what is marked to this machine" },
      { text: "-j ACCEPT", reason: "Rules that come after must not change the mark" },
    ],
    reason: "To its socket",
  }];
}
