/**
 * The rules of a running proxy, with `admission: forward-path`: they take what asks, hold it at the end of
 * the forward path and ask the proxy. The kernel removes them when the process ends, however it ends. Pure.
 *
 * ```
 * prerouting  steer ──┬─ asks ─┬─ known: to the listener
 *                     │        └─ remembered, and on its way
 *                     └─ from lo: injected: refusals
 * postrouting ask ── question ─┬─ LAN to LAN, helpers: goes on
 *                              └─ a copy to a worker, and no more
 * output      to_clients: the zone of clients' legs; sent; unpinned; and where others change what is sent:
 *             keep_route;
 *             nat: keep_incoming, keep_outgoing, keep_source
 * ```
 * @module
 */
import { joinChains } from "../contribution.ts";
import type { Intent } from "../model.ts";
import { planInterfaceSet } from "../rules/interface_match.ts";
import type { Scope } from "../scope.ts";
import { askDatagrams, planDatagrams } from "./datagrams.ts";
import { planKept } from "./kept.ts";
import { planMemory } from "./memory.ts";
import type { LiveOptions } from "./options.ts";
import { planUnflushed } from "../concerns/forward_path/zoned.ts";
import { planNamedSets } from "../concerns/named_upstreams.ts";
import { planOwn } from "./own.ts";
import { planAsk, planQuestions } from "./questions.ts";
import { planSent } from "./sent.ts";
import { planSteer } from "./steer.ts";
import { planWatch, planWatchMemory } from "./watch.ts";

/** The rules that a running proxy adds to those of the install. */
export interface LivePlan {
  /** The packets that it takes, and what becomes of them. */
  readonly intent: Intent;
}

/** Plans the rules. */
export function planLive(scope: Scope, options: LiveOptions): LivePlan {
  const { lan, inner, bridged, udp } = scope;
  const { accepting } = options;
  return {
    intent: {
      scope,
      sets: [
        ...planInterfaceSet(lan, "Interfaces whose clients are intercepted"),
        ...(scope.brings && udp && bridged !== null
          ? planInterfaceSet(bridged, "Bridges that netfilter sees through")
          : []),
        ...(accepting && inner !== null ? planInterfaceSet(inner, "Interfaces of clients alone") : []),
        ...planMemory(scope, options),
        ...(accepting ? planNamedSets(scope, options) : []),
        ...planWatchMemory(scope, options),
      ],
      chains: joinChains([
        planSteer(scope, options),
        ...(accepting
          ? [
            planDatagrams(scope, options),
            scope.brings ? planQuestions(scope, options) : {},
            planAsk(scope, askDatagrams(scope)),
            planOwn(scope, options),
          ]
          : []),
        planWatch(scope, options),
        scope.brings ? planUnflushed(scope) : {},
        planSent(scope, options),
        planKept(scope, options),
      ]),
    },
  };
}
