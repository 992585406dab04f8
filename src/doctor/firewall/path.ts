/**
 * Findings of chains on clients' way through the router: they refuse with a proxy as without, and one that
 * refuses everything is in the way. Pure.
 * @module
 */
import { LOOPBACK } from "../../constants.ts";
import { type Finding, warning } from "../finding.ts";
import type { Situation } from "../situation.ts";
import type { FirewallChain } from "./chain.ts";
import { steers } from "./effects.ts";
import { adviseAccept, describeChain, describeOwner, type Wish } from "./firewall.ts";
import {
  type ChainJudgement,
  describeDecision,
  describePackets,
  judgeChain,
  UNSURE,
  type Walked,
} from "./judge_chain.ts";
import type { FlowPacket } from "./packets.ts";

/** The hooks that a packet passes which is forwarded. */
export type PathHook = "ingress" | "prerouting" | "forward" | "postrouting";

/** Makes a finding where the chain refuses or takes something. */
export function judgePath(of: FirewallChain, hook: PathHook, situation: Situation): Finding[] {
  const id = of.program === "iptables-legacy" ? `legacy-${hook}` : `${hook}-chains`;
  const what = `firewall: ${describeChain(of)}`;
  const judgement = judgeChain(of, hook, situation);
  if (judgement === undefined) {
    const cause = `It cannot be read: whether clients' flows pass it is not known${describeOwner(of)}`;
    return [warning(id, { what, blocks: true, cause, remedy: 'Look at it with "nft list ruleset"' })];
  }
  const { tried, dropped, unsure } = judgement;
  const stopped = [...dropped, ...unsure];
  if (stopped.length === 0) return [];
  const all = isEverything(stopped, judgement);
  const taken = stopped.some(({ result: { by } }) => by !== undefined && steers(by.expressions));
  const verb = taken ? ["takes", "take"] : ["refuses", "refuse"];
  const sure = unsure.length === 0;
  return [warning(id, {
    what,
    blocks: all,
    cause: `It ${sure ? verb[0] : `may ${verb[1]}`} ${taken ? "flows of clients" : "clients"} (${
      describePackets(stopped, tried)
    }), by ${describeDecision(of, stopped)}${sure ? "" : UNSURE}, with a proxy as without${
      describeOwner(of)
    }`,
    remedy: taken
      ? OF_ANOTHER_PROXY
      : advise(of, { sure, all, wishes: stopped.map((one) => wishAt(hook, one)) }),
  })];
}

/** A rule that this program cannot judge may accept just those that are meant to pass: a captive portal's. */
function advise(
  of: FirewallChain,
  { sure, all, wishes }: { sure: boolean; all: boolean; wishes: readonly Wish[] },
): string {
  if (!all) return "Nothing, if that is meant so";
  const accepting = adviseAccept(of, wishes);
  return sure ? accepting : `Nothing, if it accepts those that are meant to pass; else ${accepting}`;
}

const OF_ANOTHER_PROXY =
  "It is another transparent proxy's: only one can have these flows. Take its rule away, or leave its " +
  "interfaces and ports out of this config";

/** At prerouting the way out is not known yet; iptables does not know the way in at postrouting. */
function wishAt(hook: PathHook, { packet: { input, output } }: Walked): Wish {
  switch (hook) {
    case "ingress":
    case "prerouting":
      return { kind: "coming", from: input!.name };
    case "postrouting":
      return { kind: "leaving", to: output!.name };
    case "forward":
      return { kind: "forwarding", from: input!.name, to: output!.name };
    default:
      return hook satisfies never;
  }
}

/** Tells that no packet of a kind gets through: first ones, those through the loopback, later ones. */
function isEverything(stopped: readonly Walked[], { tried }: ChainJudgement): boolean {
  const kind = ({ packet: { protocol, ctState, input, output } }: FlowPacket) =>
    [protocol, ctState, input?.name === LOOPBACK || output?.name === LOOPBACK].join();
  return [...new Set(tried.map(kind))].some((one) => {
    const of = (list: readonly FlowPacket[]) => list.filter((packet) => kind(packet) === one).length;
    return of(stopped) === of(tried);
  });
}
