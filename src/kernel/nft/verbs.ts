/**
 * Effects in the verbs of nf_tables. Pure.
 * @module
 */
import { QUESTION_PREFIX } from "../../constants.ts";
import { CLIENT_TO_CLIENT_MARK, type Marks } from "../../marks.ts";
import type { Effect } from "../plan/rules/effect.ts";
import { RESTORED, SQUEEZED } from "./forward_path/overwriting.ts";
import type { Verb } from "./model.ts";

const COUNTER: Verb = { kind: "counter" };
const DROP: Verb = { kind: "verdict", verdict: "drop" };
const ACCEPT: Verb = { kind: "verdict", verdict: "accept" };
const ALL_BITS = 0xffffffff;
const NOTRACK: Verb = { kind: "notrack" };

/** Finds the verbs of an effect, in order. */
export function verbsOf(effect: Effect, marks: Marks): Verb[] {
  const deliver: Verb = { kind: "set-mark", mask: marks.intercepted };
  const asksNoMore: Verb = { kind: "clear-mark", mask: marks.asks, set: 0 };
  const isWatched: Verb = { kind: "clear-mark", mask: marks.watch, set: 0 };
  const loopBack: Verb = { kind: "set-mark", mask: marks.router };
  switch (effect.kind) {
    case "leave":
      return [{ kind: "verdict", verdict: "return" }];
    case "pass":
      return [ACCEPT];
    case "go":
      return [{ kind: "goto", chain: effect.to }];
    case "proxy":
      return [{ kind: "tproxy", to: effect.to }, deliver, NOTRACK, ACCEPT];
    case "program":
      return [{ kind: "tproxy", to: effect.to }, deliver, ACCEPT];
    case "socket":
      return effect.tracked ? [deliver, ACCEPT] : [deliver, NOTRACK, ACCEPT];
    case "refuse":
      return [{ kind: "reject", answer: effect.protocol === "tcp" ? "tcp-reset" : "port-unreachable" }];
    case "drop":
      return [{ kind: "verdict", verdict: "drop" }];
    case "untrack":
      return [NOTRACK];
    case "remember":
      return [{ kind: "remember-flow", family: effect.family, set: effect.set, answer: effect.answer }];
    case "pass-answer":
      return [{ kind: "remember-flow", family: effect.family, set: effect.set, answer: true }, ACCEPT];
    case "loop-back":
      return effect.noted
        ? [{ kind: "set-flow-bits", mask: marks.router, clear: false }, loopBack, ACCEPT]
        : [loopBack, ACCEPT];
    case "forget-note":
      return [{ kind: "set-flow-bits", mask: marks.router, clear: true }];
    case "receive":
      return [{ kind: "tproxy", to: effect.to }, ACCEPT];
    case "show-life":
      return [{ kind: "proxy-shows", set: effect.set }];
    case "ask":
      return [{ kind: "set-mark", mask: marks.asks }, ACCEPT];
    case "insist":
      return [{ kind: "set-mark", mask: marks.insists }, ACCEPT];
    case "insist-no-more":
      return [{ kind: "clear-mark", mask: marks.insists - marks.asks, set: 0 }];
    case "tell-client-to-client":
      return [{ kind: "set-mark", mask: CLIENT_TO_CLIENT_MARK }];
    case "forward":
      return [...(effect.counted ? [COUNTER] : []), asksNoMore, ACCEPT];
    case "begin-question":
      return [
        { kind: "remember-flow", family: effect.family, set: effect.set, answer: true },
        asksNoMore,
        ACCEPT,
      ];
    case "end-question":
      return [{ kind: "forget-original", family: effect.family, set: effect.set }];
    case "note-mark":
    case "forget-mark":
    case "recall-mark":
      return [effect];
    case "client-leg":
      return [{ kind: "set-zone", zone: effect.zone }, ACCEPT];
    case "listener":
      return [{ kind: "tproxy", to: effect.to }, { kind: "set-zone", zone: effect.zone }, asksNoMore, ACCEPT];
    case "refuse-with":
      return [{ kind: "reject", answer: effect.answer }];
    case "squeeze":
      return [...SQUEEZED[effect.protocol]];
    case "question":
      return [{ kind: "log", prefix: effect.prefix, group: effect.group }, DROP];
    case "question-twice":
      return [
        { kind: "log", prefix: QUESTION_PREFIX.translated, group: effect.group },
        ...RESTORED[effect.family],
        ...(effect.tellsFlowMark ? [{ kind: "take-flow-mark" } as const] : []),
        { kind: "log", prefix: QUESTION_PREFIX.restored, group: effect.group },
        DROP,
      ];
    case "keep-address":
      return [{ kind: "nat-to-itself", family: effect.family, side: effect.side }];
    case "unmark":
      return [{ kind: "clear-mark", mask: ALL_BITS, set: 0 }, ACCEPT];
    case "restore-mark":
      return [{ kind: "restore-mark" }, ACCEPT];
    case "unpin":
      return [{ kind: "clear-mark", mask: marks.pin, set: 0 }, ACCEPT];
    case "ask-watched":
      return [{ kind: "set-mark", mask: marks.watch }, ACCEPT];
    case "forward-unwatched":
      return [isWatched, ACCEPT];
    case "begin-watching":
      return [
        { kind: "remember-flow", family: effect.family, set: effect.set, answer: true },
        isWatched,
        ACCEPT,
      ];
    case "label":
      return [{ kind: "set-label", label: effect.label }];
    case "reset-option":
      return [{ kind: "reset-tcp-option", option: effect.option }];
    case "copy":
      return [{ kind: "log", prefix: effect.prefix, group: effect.group }, ACCEPT];
    case "hold":
      return [{ kind: "queue", number: effect.queue }];
    case "take-own":
      return [
        { kind: "set-flow-bits", mask: marks.router, clear: false },
        { kind: "clear-mark", mask: marks.asks, set: marks.router },
        ACCEPT,
      ];
    default:
      return effect satisfies never;
  }
}
