/**
 * Effects in the verbs of nf_tables. Pure.
 * @module
 */
import type { Marks } from "../../marks.ts";
import type { Effect } from "../plan/rules/effect.ts";
import type { Verb } from "./model.ts";

const ACCEPT: Verb = { kind: "verdict", verdict: "accept" };
const NOTRACK: Verb = { kind: "notrack" };

/** Finds the verbs of an effect, in order. */
export function verbsOf(effect: Effect, marks: Marks): Verb[] {
  const deliver: Verb = { kind: "set-mark", mask: marks.intercepted };
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
    default:
      return effect satisfies never;
  }
}
