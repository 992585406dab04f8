/**
 * The receipt of first packets that a proxy has held, when their servers have answered: they come in once
 * more, from the loopback interface, and begin at the listener. Here, behind everybody's chains, since `fib`
 * looks up the way back of a packet that has a socket, which this has not. Pure.
 * @module
 */
import type { Family } from "../../../../net/ip.ts";
import type { OpenChain } from "../../contribution.ts";
import { listenerAt, newFlow } from "../../phrases.ts";
import type { PlannedRule } from "../../model.ts";
import { TO_SOCKET } from "../../rules/effect.ts";
import type { Scope } from "../../scope.ts";
import { answeredSet } from "./answered.ts";

/** The chain. */
export const RECEIPT_CHAIN = "receive";

/** Plans the chain. */
export function planReceipt(scope: Scope): OpenChain {
  return {
    name: RECEIPT_CHAIN,
    place: "listener",
    rules: [
      ...scope.families.flatMap((family) => [...rememberAnswered(scope, family), ...receive(scope, family)]),
      {
        conditions: [],
        effect: TO_SOCKET,
        reason: "No listener, or a packet that its socket has sent itself",
      },
    ],
    reason: "First packets that a proxy has held: their servers have answered",
  };
}

/** Plans how what the listener is about to answer is remembered. */
export function rememberAnswered({ tcp }: Scope, family: Family): PlannedRule[] {
  if (!tcp) return [];
  return [{
    conditions: [{ kind: "family", family }, newFlow("tcp")],
    effect: { kind: "remember", family, set: answeredSet(family), answer: true },
    reason: "In case the listener answers with a SYN cookie, and for what the kernel sends before accept(2)",
  }];
}

function receive({ protocols, listenerPort }: Scope, family: Family): PlannedRule[] {
  return protocols.map((protocol) => ({
    conditions: [{ kind: "family", family }, newFlow(protocol)],
    effect: { kind: "receive", to: listenerAt(family, listenerPort) },
    reason: "To the listener",
  }));
}
