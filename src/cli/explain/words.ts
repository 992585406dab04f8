/**
 * The answer of `tproxy explain` for people, a line for each part. Pure.
 * @module
 */
import type { PathStep } from "../../doctor/flow/pass_chains.ts";
import { wordPolicy } from "./policy_answer.ts";
import type { Answer, AnsweredEnd } from "./answer.ts";
import { wordStates } from "./upstreams.ts";

const ENDS: Readonly<Record<AnsweredEnd, string>> = {
  forwarded: "the kernel forwards it",
  relayed: "the proxy relays it to its own destination",
  upstream: "the proxy relays it through an upstream",
  delivered: "another program on this router gets it",
  router: "this router itself gets it",
  refused: "it is refused",
  dropped: "it is dropped, and the client is told nothing",
  unreachable: "no route leads there",
  unknown: "cannot be told",
};

/** Words it. */
export function wordAnswer(answer: Answer): string[] {
  const { installed, path, route, source, end, certain, by, warnings, flow, whenDown, choice } = answer;
  const way = path === null ? [] : [
    `comes in: ${flow.in ?? "not known by which interface"}`,
    `installed: ${
      installed === null
        ? "no rule meets it"
        : `"${installed.text}" (chain ${installed.chain}, handle ${installed.handle}): ${installed.does}`
    }`,
    ...path.map(wordStep),
    ...(route === null ? [] : [wordRoute(route)]),
    ...(source === null ? [] : [`server sees: ${source}`]),
  ];
  const doubt = certain || end === "unknown"
    ? ""
    : "; not for certain, for not everything on its way can be judged";
  return [
    ...wordPolicy(answer),
    ...(whenDown === null ? [] : [`upstream: ${wordUpstreams(answer)}; when down: ${whenDown}`]),
    ...(choice === null ? [] : [wordChoice(choice)]),
    ...way,
    ...warnings.map((text) => `warning: ${text}`),
    `end: ${ENDS[end]}${by === "" ? "" : ` (${by})`}${doubt}`,
  ];
}

function wordUpstreams({ upstreamStates }: Answer): string {
  return upstreamStates.length === 0 ? "none can carry it" : wordStates(upstreamStates);
}

function wordChoice({ group, strategy, member, why }: NonNullable<Answer["choice"]>): string {
  return `takes: ${member ?? "cannot be told"}, of group ${group} (${strategy}): ${why}`;
}

function wordStep({ hook, chain, verdict, certain, rule, handle, translation }: PathStep): string {
  const place = rule === null ? "" : ` by ${rule}${handle === null ? "" : ` (handle ${handle})`}`;
  const perhaps = certain ? "" : ", but this cannot be judged for certain";
  const does = translation === null ? verdict === "drop" ? "refuses it" : "lets it pass" : translation;
  return `${hook}: ${chain} ${translation === null ? "" : "gives it "}${does}${place}${perhaps}`;
}

function wordRoute({ type, table, gateway, interface: link }: NonNullable<Answer["route"]>): string {
  const to = [gateway === null ? "" : `via ${gateway}`, link === null ? "" : `dev ${link}`];
  return `route: ${[type, ...to].filter((word) => word !== "").join(" ")}, table ${table}`;
}
