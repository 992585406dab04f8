/**
 * The results of the probes as findings: one for each cause. Pure.
 * @module
 */
import { EACCES, ENETDOWN, EPERM } from "../../net/errno.ts";
import type { IptablesVariant } from "../../kernel/iptables/state/programs.ts";
import { type Capability, type KernelDemand, listCapabilities } from "./capabilities.ts";
import { describeErrno, type Finding, notPermitted, warning, works } from "../finding.ts";
import { explainUnreachable, judgeLegacy, judgeLegacyTables } from "./judge_xtables.ts";
import { explainMissing, type Explanation } from "../parts/explain.ts";
import type { KernelBuild } from "../parts/kernel_build.ts";
import type { ProbeResult } from "./probe.ts";

/** The evidence of the judgement. */
export interface ProbeEvidence extends KernelDemand {
  readonly results: readonly ProbeResult[];
  readonly build: KernelBuild;
  /**
   * The kind of iptables that an install would use, where it uses one: what the other can do does not help.
   */
  readonly variant?: IptablesVariant;
}

/** A finding for each capability; of those that are missing for the same cause, one. */
export function judgeProbes(evidence: ProbeEvidence): Finding[] {
  const findings: Finding[] = [];
  const unused = evidence.variant === undefined ? "" : evidence.variant === "legacy" ? "/nft" : "/legacy";
  for (const capability of listCapabilities(evidence)) {
    const { id, what, needed, probes } = capability;
    const results = evidence.results.filter((result) =>
      probes.includes(result.id) && (unused === "" || !result.id.endsWith(unused))
    );
    const base = findings.find((finding) => finding.id === "nf-tables");
    const told = (finding: Finding) => finding.state !== "works" && (finding.blocks || !needed);
    if (id === "nft-table" && findings.some(told)) {
      // It says nothing new where a part of it is missing.
    } else if (
      id === "nft-ct-mark" && findings.some((finding) => finding.id === "nft-notrack" && told(finding))
    ) {
      // The module that has the mark is missing.
    } else if (id.startsWith("nft-") && base !== undefined && base.state !== "works") {
      findings.push({ ...base, id, what, blocks: needed });
    } else if (results.length > 0) findings.push(judge(capability, results, evidence.build));
  }
  const tables = evidence.variant === "legacy" ? judgeLegacyTables(evidence.families, evidence.build) : [];
  return mergeCauses([...findings, ...tables]);
}

/** The first that blocks speaks for all that miss the same part. */
function mergeCauses(findings: readonly Finding[]): Finding[] {
  const keyOf = ({ state, part }: Finding) =>
    state === "missing" && part !== undefined ? part.module ?? part.config : undefined;
  const leader = (key: string) => {
    const same = findings.filter((finding) => keyOf(finding) === key);
    return same.find(({ blocks }) => blocks) ?? same[0];
  };
  return findings.flatMap((finding) => {
    const key = keyOf(finding);
    if (key === undefined) return [finding];
    if (leader(key) !== finding) return [];
    const also = findings.filter((other) => other !== finding && keyOf(other) === key).map(({ id }) => id);
    return [also.length === 0 ? finding : { ...finding, also }];
  });
}

function judge(capability: Capability, results: readonly ProbeResult[], build: KernelBuild): Finding {
  const { id, what, needed: blocks, absent } = capability;
  const working = results.filter((result) => result.works);
  if (working.length > 0) return works(id, what, results.length > 1 ? describeWays(working) : "");
  const denied = results.find(({ errno }) => errno === EPERM || errno === EACCES);
  if (denied !== undefined) return notPermitted(id, { what, errno: denied.errno, blocks });
  const failed = results.find(({ errno }) => !absent.includes(errno));
  if (failed !== undefined) return judgeFailure(capability, failed);
  const legacy = judgeLegacy(capability, results, build);
  if (legacy !== undefined) return legacy;
  const { cause, remedy, part } = explain(capability, results, build);
  const said = [...new Set(results.map(({ errno }) => describeErrno(errno)))].join(", ");
  return { id, state: "missing", blocks, what, cause: `${cause}; the kernel says ${said}`, remedy, part };
}

/** `iptables-nft, iptables-legacy`. */
function describeWays(working: readonly ProbeResult[]): string {
  return working.map(({ id }) => id.endsWith("/nft") ? "iptables-nft" : "iptables-legacy").join(", ");
}

function judgeFailure({ id, what, needed: blocks }: Capability, { errno, detail }: ProbeResult): Finding {
  const remedy = errno === ENETDOWN ? "Bring the loopback up: ip link set lo up" : "";
  return warning(id, { what, cause: detail, remedy, blocks });
}

function explain(
  { part }: Capability,
  results: readonly ProbeResult[],
  build: KernelBuild,
): Explanation {
  if ("symbol" in part) {
    return {
      cause: `This kernel is built without CONFIG_${part.symbol}`,
      remedy: `Use a kernel with CONFIG_${part.symbol}; it is never a module`,
      part: { config: `CONFIG_${part.symbol}` },
    };
  }
  return explainUnreachable(results, build) ?? explainMissing(part.module, build);
}
