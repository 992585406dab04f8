/**
 * Strays: TCP segments that begin no connection in due form, and belong to none that conntrack knows. The
 * rules that refuse flows refuse these too. Pure.
 * @module
 */
import type { Contribution, OpenChain } from "../../contribution.ts";
import type { PlannedRule } from "../../model.ts";
import { excludeOtherFamily, EXEMPT_OWN, onlyFromClients, TCP } from "../../phrases.ts";
import { type Effect, goTo, LEAVE } from "../../rules/effect.ts";
import { rulesOf, type Scope } from "../../scope.ts";
import { applyRules, passOtherPorts } from "../decision.ts";

const DECISION_CHAIN = "stray";
const REFUSED_CHAIN = "stray_block";
const SILENT_CHAIN = "stray_block_silently";

/** Plans the chains; none where nothing of TCP is refused. */
export function planStrays(scope: Scope): Contribution {
  const { otherwise, tcp } = scope;
  const rules = rulesOf("tcp", scope);
  const refusesRest = otherwise.outcome.kind === "refuse";
  const last = rules.findLastIndex(({ outcome }) => outcome.kind === "refuse");
  if (!tcp || (last < 0 && !refusesRest)) return {};
  const asked = refusesRest ? rules : rules.slice(0, last + 1);
  const silently = (silent: boolean) =>
    [...asked, otherwise].some(({ outcome }) => outcome.kind === "refuse" && outcome.silently === silent);
  return {
    chains: [
      ...(silently(false) ? [planEnd(REFUSED_CHAIN, { kind: "refuse", protocol: "tcp" })] : []),
      ...(silently(true) ? [planEnd(SILENT_CHAIN, { kind: "drop", protocols: ["tcp"] })] : []),
      {
        name: DECISION_CHAIN,
        place: "end",
        rules: [
          ...passOtherPorts({ ...scope, protocols: ["tcp"] }),
          ...applyRules(asked, effectOn),
          ...(refusesRest
            ? [{ conditions: [], effect: effectOn(otherwise.outcome), reason: otherwise.why }]
            : []),
        ],
        reason: "What the rules refuse gets no segment of an unknown flow",
      },
      {
        name: "strays",
        place: "tracked",
        rules: [onlyFromClients(scope), ...excludeOtherFamily(scope), {
          conditions: [{ kind: "zone", zone: scope.clientZone }],
          effect: LEAVE,
          reason: "Packets of accepted connections, which go on when the rules change",
        }, {
          conditions: [{ kind: "no-bare-syn" }, { kind: "unknown-flow" }],
          effect: goTo(DECISION_CHAIN),
          reason: "SYN+FIN, no flag, all flags, an ACK out of nowhere: port scans",
        }],
        reason: "TCP that conntrack cannot place; flows that exist already go on",
      },
    ],
  };
}

function effectOn(outcome: Scope["otherwise"]["outcome"]): Effect {
  if (outcome.kind !== "refuse") return LEAVE;
  return goTo(outcome.silently ? SILENT_CHAIN : REFUSED_CHAIN);
}

function planEnd(name: string, effect: Effect): OpenChain {
  const end: PlannedRule = { conditions: [TCP], effect, reason: "As what begins a connection in due form" };
  return { name, place: "end", rules: [EXEMPT_OWN, end], reason: "Segments that are refused" };
}
