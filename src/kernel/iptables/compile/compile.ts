/**
 * A plan as rules of iptables, the same for iptables-legacy and iptables-nft. Pure.
 *
 * ```
 * raw PREROUTING ──── TPROXY_DIVERT ── … ─┬─ TPROXY_OURS: mark, no conntrack
 *                                         ├─ TPROXY_LOCAL: mark             (for other programs)
 *                                         └─ TPROXY_REFUSED: the mark above (for filter)
 * raw OUTPUT ──────── TPROXY_UNTRACKED
 * mangle PREROUTING ─ TPROXY_STEER ── what is marked: TPROXY to the listener
 *                   └ TPROXY_DIVERT_REPLIES
 * mangle OUTPUT ───── TPROXY_UPSTREAM,  mangle FORWARD ─ TPROXY_FORWARDED: mark of the connection (IPv6)
 * filter FORWARD ──── TPROXY_REJECT,  mangle POSTROUTING ─┬ TPROXY_HOLD
 *                                                         └ TPROXY_SERVED: whom LAN servers answer
 * ```
 * @module
 */
import { OperationError } from "../../../net/error.ts";
import { planIntent } from "../../plan/intent.ts";
import type { Intent, Plan } from "../../plan/model.ts";
import { makeContext } from "./context.ts";
import { compileMangle } from "./mangle.ts";
import type { FamilyRules } from "./model.ts";
import { compileRaw } from "./raw.ts";
import { compileFilter } from "./refusals.ts";

/**
 * Compiles the rules for each family of the plan. Throws an OperationError where iptables cannot do what the
 * config wants.
 */
export function compileIptables({ intent: wanted, families }: Plan): FamilyRules[] {
  const intent = takenEarly(wanted);
  if (intent.scope.ownTraffic) throw cannotTakeOwnTraffic();
  return families.map((family) => {
    const context = makeContext(intent, family);
    if (context.delivers && context.watch) throw cannotAskPrograms();
    // raw marks packets, and so comes last: what the others do with marks must be there by then.
    const tables = [
      compileMangle(context),
      ...(context.refuses ? [compileFilter(context)] : []),
      compileRaw(context),
    ];
    return { family, tables };
  });
}

/** Rules of iptables take flows early, whatever is wanted. */
function takenEarly(intent: Intent): Intent {
  return intent.scope.admission === "early"
    ? intent
    : planIntent({ ...intent.scope, admission: "early", brings: true });
}

function cannotTakeOwnTraffic(): OperationError {
  return new OperationError({
    operation: "use intercept.router-traffic",
    object: "true",
    reason: "the rules of iptables cannot take what the router itself sends yet",
    hint: "Set kernel.backend to netlink, or intercept.router-traffic to false",
    usage: true,
  });
}

/** Nobody shows in the kernel whether another program listens, and TPROXY drops where none does. */
function cannotAskPrograms(): OperationError {
  return new OperationError({
    operation: "use action",
    object: "deliver",
    reason: "where nobody listens, TPROXY of iptables drops, and does not do what intercept.on-failure says",
    hint: "Set intercept.on-failure to drop, or kernel.backend to netlink",
    usage: true,
  });
}
