/**
 * All that `tproxy explain` says of a flow: what the policy says and what the router does. Pure.
 * @module
 */
import type { LoadedConfig } from "../../config/load.ts";
import type { FlowEnd, FlowTrace } from "../../doctor/flow/trace.ts";
import type { PathStep } from "../../doctor/flow/pass_chains.ts";
import { formatEndpoint, formatIp } from "../../net/ip.ts";
import { hexBytes } from "../../net/hex.ts";
import type { GroupChoice } from "./member.ts";
import type { PolicyAnswer } from "./policy_answer.ts";
import { isDown, type UpstreamState } from "./upstreams.ts";
import type { ExplainedRouter } from "./router.ts";
import type { AskedFlow } from "./question.ts";

/** The end of a flow, as `--json` names it; `upstream`: through another proxy. */
export type AnsweredEnd = FlowEnd | "upstream" | "unknown";

/** An answer, as `--json` prints it. Without the router (`--rules-only`) its part is null. */
export interface Answer extends PolicyAnswer {
  readonly version: 1;
  readonly config: string;
  readonly flow: {
    readonly protocol: string;
    readonly from: string;
    readonly to: string;
    readonly in: string | null;
    readonly mac: string | null;
    readonly domain: string | null;
  };
  /** The end; without one, where the name decides and is not given. */
  readonly end: AnsweredEnd;
  /** The exit code in words. */
  readonly passes: boolean;
  /** Unset where something on the way cannot be judged. */
  readonly certain: boolean;
  /** States of `upstreams`. */
  readonly upstreamStates: readonly UpstreamState[];
  /** The choice among them; null: they are no group. */
  readonly choice: GroupChoice | null;
  /** The rule, or the circumstance, that ends it there. */
  readonly by: string;
  /** The rule of the kernel's table that decides; null: none. */
  readonly installed: {
    readonly chain: string;
    readonly handle: number;
    readonly text: string;
    /** One of the words of `kernel`. */
    readonly does: string;
  } | null;
  readonly path: readonly PathStep[] | null;
  readonly route: {
    readonly type: string;
    readonly table: number;
    readonly gateway: string | null;
    readonly interface: string | null;
  } | null;
  /** The client's address as the server sees it. */
  readonly source: string | null;
  readonly warnings: readonly string[];
}

/** Facts that the answer is made of. */
export interface AnswerFacts {
  readonly loaded: LoadedConfig;
  readonly asked: AskedFlow;
  readonly policy: PolicyAnswer;
  readonly upstreamStates: readonly UpstreamState[];
  readonly choice: GroupChoice | null;
  readonly router: ExplainedRouter | null;
  readonly trace: FlowTrace | null;
}

const PASSING: readonly AnsweredEnd[] = ["forwarded", "relayed", "delivered", "router", "upstream"];

/** Makes the answer. */
export function makeAnswer(facts: AnswerFacts): Answer {
  const { loaded, asked, policy, upstreamStates, choice, router } = facts;
  // Who may not read the rules cannot tell what they do. A kernel without nf_tables has none.
  const isHidden = router?.machine.obstacle?.code === "EPERM";
  const trace = isHidden ? null : facts.trace;
  const { end, by } = isHidden
    ? { end: "unknown" as const, by: "the rules of the kernel may not be read" }
    : trace === null
    ? endByRules(policy, upstreamStates)
    : endOnRouter(trace, policy, upstreamStates);
  const { install: installed, way, source } = trace ?? { install: null, way: null, source: null };
  return {
    version: 1,
    config: loaded.origin,
    flow: {
      protocol: asked.protocol,
      from: formatIp(asked.client),
      to: formatEndpoint(asked.server),
      in: asked.input ?? null,
      mac: asked.hardware === undefined ? null : hexBytes(asked.hardware, ":"),
      domain: asked.name ?? null,
    },
    end,
    passes: PASSING.includes(end),
    certain: end !== "unknown" && (trace?.certain ?? true),
    by,
    ...policy,
    upstreamStates,
    choice,
    installed: installed?.rule === undefined ? null : { ...installed.rule, does: installed.outcome.kind },
    path: trace?.steps ?? null,
    route: way && { ...way, gateway: way.gateway && formatIp(way.gateway) },
    source: source === null || end === "upstream" ? null : formatIp(source),
    warnings: router === null || facts.trace === null ? [] : warn(facts.trace, { loaded, policy, router }),
  };
}

/** The end by the rules of the config, where the router is not asked. */
function endByRules(
  { action, silent, why, whenDown }: PolicyAnswer,
  upstreams: readonly UpstreamState[],
): { end: AnsweredEnd; by: string } {
  switch (action) {
    case "bypass":
      return { end: "forwarded", by: why };
    case "direct":
      return { end: "relayed", by: why };
    case "proxy":
      if (!upstreams.every(isDown)) return { end: "upstream", by: why };
      return {
        end: whenDown === "direct" ? "relayed" : "refused",
        by: `${why}, and ${upstreams.length === 0 ? "no upstream can carry it" : "all upstreams are down"}`,
      };
    case "deliver":
      return { end: "delivered", by: why };
    case "block":
      return { end: silent ? "dropped" : "refused", by: why };
    default:
      return { end: "unknown", by: why };
  }
}

/** The end on the router: where the proxy or the watcher gets it, the policy says what they do. */
function endOnRouter(
  trace: FlowTrace,
  policy: PolicyAnswer,
  upstreams: readonly UpstreamState[],
): { end: AnsweredEnd; by: string } {
  const { end, by, install } = trace;
  const asksPolicy = end === "relayed" || end === "forwarded" && install?.outcome.kind === "watch";
  if (!asksPolicy) return { end, by: by === "" ? policy.why : by };
  const byRules = endByRules(policy, upstreams);
  // A rule that delivers behind one with names is too late: the proxy has the flow.
  if (byRules.end === "delivered") return { end, by: policy.why };
  // What the proxy lets go on it dials itself.
  return byRules.end === "forwarded"
    ? { end, by: policy.why }
    : byRules.end === "unknown"
    ? { end, by }
    : byRules;
}

function warn(
  { install, input, end }: FlowTrace,
  { loaded: { config }, policy, router: { machine, lan } }: Pick<AnswerFacts, "loaded" | "policy"> & {
    readonly router: ExplainedRouter;
  },
): string[] {
  if (machine.obstacle !== undefined) {
    return [`the rules of the kernel could not be read: ${machine.obstacle.message}`];
  }
  if (machine.ours === undefined) {
    return [
      config.kernel.backend === "iptables"
        ? "rules of the backend iptables are not followed: the answer is that without an install"
        : 'nothing is installed, flows are forwarded as without tproxy: "tproxy install"',
    ];
  }
  const isClient = lan === undefined || input !== null && lan.includes(input);
  const warnings = isClient ? [] : [
    `${input ?? "the interface"} is none of the clients' interfaces (${lan.join(", ")}): no rule is asked`,
  ];
  const differs = isClient && end !== "router" && install !== null && install.certain &&
    policy.kernel !== null && !isSame(policy.kernel, install.outcome.kind);
  if (differs) {
    warnings.push(
      `the rules installed are of another config: by this one the kernel would have said ${policy.kernel}; ` +
        'see "tproxy status", then "tproxy install"',
    );
  }
  return warnings;
}

/** Compares the kernel's treatments; where it cannot watch, the proxy gets the flow. */
function isSame(wanted: string, installed: string): boolean {
  return wanted === installed || wanted === "watch" && installed === "proxy";
}
