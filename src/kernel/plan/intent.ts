/**
 * The intent: the contributions of all concerns, each of which is asked once. Pure.
 * @module
 */
import { planClients, planToClients } from "./concerns/clients.ts";
import { planDecision } from "./concerns/decision.ts";
import { planLate } from "./concerns/forward_path/late.ts";
import { planStrays } from "./concerns/forward_path/strays.ts";
import { planUnanswered } from "./concerns/forward_path/unanswered.ts";
import { planZoned } from "./concerns/forward_path/zoned.ts";
import { planLanServers } from "./concerns/lan_servers.ts";
import { planLife } from "./concerns/life.ts";
import { planPathErrors } from "./concerns/path_errors.ts";
import { planRememberedPasses } from "./concerns/remembered_passes.ts";
import { planReplies } from "./concerns/replies.ts";
import { planRouter } from "./concerns/router.ts";
import { planUpstreams } from "./concerns/upstreams.ts";
import { joinChains } from "./contribution.ts";
import type { Intent } from "./model.ts";
import type { Scope } from "./scope.ts";

/**
 * Concatenates the concerns: chains after those that they go to, sets in the order of their first use by a
 * packet, long lists last.
 */
export function planIntent(scope: Scope): Intent {
  const passes = planRememberedPasses(scope);
  const decision = planDecision(scope);
  const clients = planClients(scope);
  const servers = planLanServers(scope);
  const router = planRouter(scope);
  const { brings } = scope;
  const errors = brings ? planPathErrors(scope) : {};
  const early = scope.admission === "early";
  const life = early ? planLife(scope) : {};
  const late = early ? planReplies(scope) : brings ? planLate(scope) : {};
  const others = early ? [late, servers, planToClients(scope), router, life] : [
    planUnanswered(scope),
    planStrays(scope),
    late,
    servers,
    ...(brings ? [planZoned(scope)] : []),
    router,
  ];
  const upstreams = brings ? planUpstreams(scope) : {};
  const sources = [clients, decision, upstreams, late, servers, life, router, passes];
  return {
    scope,
    sets: [...sources.flatMap(({ sets = [] }) => sets), ...scope.ruleSets],
    chains: joinChains([passes, decision, clients, ...others, errors]),
  };
}
