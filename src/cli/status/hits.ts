/**
 * The flows that a running proxy has seen, as status shows them.
 * @module
 */
import type { Hits } from "../../dataplane/flows/tally.ts";
import { formatBytes } from "./bytes.ts";
import type { PortHolder } from "./proxy.ts";

/** Describes the flows that it has seen, by rule and by upstream; nothing where it tells nothing of them. */
export function describeHits(holder: PortHolder | undefined): string {
  const { ruleHits: rules = [], upstreamHits: upstreams = [] } = holder?.state ?? {};
  if (rules.length === 0) return "";
  const width = Math.max(...[...rules, ...upstreams].map(({ name }) => name.length));
  const line = (kind: string, what: string, { name, flows, live, blocked, bytesUp, bytesDown }: Hits) =>
    `${kind.padEnd(8)}  ${what.padEnd(7)}  ${name.padEnd(width)}  ${flows} flows${
      live > 0 ? `, ${live} live` : ""
    }${blocked > 0 ? `, ${blocked} blocked` : ""}, ${formatBytes(bytesUp)} up, ${
      formatBytes(bytesDown)
    } down\n`;
  return [
    "\nflows that the proxy has seen, by rule (what the kernel decides by itself is not counted):\n",
    ...rules.map((hits) => line("rule", hits.action, hits)),
    ...upstreams.map((hits) => line("upstream", "", hits)),
  ].join("");
}
