/**
 * Effects of planned rules in the words of iptables. Pure.
 *
 * The tables share the work, since each target is valid in one of them alone: `raw` decides and leaves marks,
 * as it is before conntrack; `mangle` gives marked packets to sockets; `filter` answers those that are
 * refused.
 * @module
 */
import type { Marks } from "../../../marks.ts";
import { type Endpoint, formatIp } from "../../../net/ip.ts";
import type { Effect, NftEffect } from "../../plan/rules/effect.ts";
import { chainName } from "./chain_writer.ts";
import type { FamilyContext } from "./context.ts";
import { bits, cannotSay, RETURN } from "./fragment.ts";

/** The packet's connection is the proxy's. */
const OURS = "-g TPROXY_OURS";
/** The packet goes to a socket of this machine. */
export const LOCAL = "-g TPROXY_LOCAL";
/** The packet will be refused. */
const REFUSED = "-g TPROXY_REFUSED";
/** The packet will be dropped, if it is no answer to a flow that others have begun: conntrack knows. */
const DROPPED = "-g TPROXY_DROPPED";

/** Passes an effect on. Throws an OperationError where only nf_tables can have it. */
function asSayable(effect: Effect): Exclude<Effect, NftEffect> {
  switch (effect.kind) {
    case "loop-back":
    case "forget-note":
    case "receive":
    case "show-life":
    case "ask":
    case "insist":
    case "insist-no-more":
    case "tell-client-to-client":
    case "forward":
    case "begin-question":
    case "end-question":
    case "client-leg":
    case "listener":
    case "refuse-with":
    case "squeeze":
    case "question":
    case "question-twice":
    case "keep-address":
    case "unmark":
    case "restore-mark":
    case "unpin":
    case "note-mark":
    case "forget-mark":
    case "recall-mark":
    case "take-own":
    case "ask-watched":
    case "forward-unwatched":
    case "begin-watching":
    case "label":
    case "reset-option":
    case "copy":
    case "hold":
      throw cannotSay(effect.kind);
    default:
      return effect;
  }
}

/** Finds the target of an effect in `raw`. */
export function rawTarget(wanted: Effect): string {
  const effect = asSayable(wanted);
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
    default:
      return effect satisfies never;
  }
}

/** Finds the target of an effect on a marked packet in `mangle`, whose chains lead to listeners alone. */
export function mangleTarget(wanted: Effect, { chains, scope: { marks } }: FamilyContext): string {
  const effect = asSayable(wanted);
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
      throw cannotSay(effect.kind);
    default:
      return effect satisfies never;
  }
}

/** Gives a packet to a listener. */
function steer({ address, port }: Endpoint, { intercepted }: Marks): string {
  return `-j TPROXY --on-port ${port} --on-ip ${formatIp(address)} --tproxy-mark ${bits(intercepted)}`;
}
