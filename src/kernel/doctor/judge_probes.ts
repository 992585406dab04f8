/**
 * The results of the probes as findings. Pure.
 * @module
 */
import type { Config } from "../../config/types.ts";
import type { Family } from "../../net/ip.ts";
import { type Capability, listCapabilities } from "./capabilities.ts";
import { describeErrno, type Finding, notPermitted, warning, works } from "./finding.ts";
import type { IptablesVariant } from "../iptables/programs.ts";
import { explainMissing, type KernelBuild } from "./kernel_build.ts";
import type { ProbeId, ProbeResult } from "./probe.ts";
import type { XtablesNeeds } from "./xtables_parts.ts";

const EPERM = 1;
const EACCES = 13;
const EINVAL = 22;
const ENETDOWN = 100;
const ENOPROTOOPT = 92;

/** What the judgement goes by. */
export interface ProbeEvidence {
  readonly results: readonly ProbeResult[];
  readonly config: Config;
  /** The families that were tried. */
  readonly families: readonly Family[];
  readonly build: KernelBuild;
  /** What of iptables was tried. */
  readonly xtables: XtablesNeeds;
  /** The kind of iptables that an install would use, where it uses one: what the other can do does not help. */
  readonly variant?: IptablesVariant;
}

/** One finding for each capability. */
export function judgeProbes(evidence: ProbeEvidence): Finding[] {
  const findings: Finding[] = [];
  const unused = evidence.variant === undefined ? "" : evidence.variant === "legacy" ? "/nft" : "/legacy";
  for (const capability of listCapabilities(evidence.config, evidence.families, evidence.xtables)) {
    const { id, what, needed, probes } = capability;
    const results = evidence.results.filter((result) =>
      probes.includes(result.id) && (unused === "" || !result.id.endsWith(unused))
    );
    const base = findings.find((finding) => finding.id === "nf-tables");
    if (id === "nft-table") {
      // The whole table says nothing new where a part of it is missing.
      const told = findings.some(({ state }) => state !== "works");
      if (!told && results.length > 0) findings.push(judge(capability, results, evidence.build));
    } else if (id.startsWith("nft-") && base !== undefined && base.state !== "works") {
      findings.push({ ...base, id, what, blocks: needed });
    } else if (results.length > 0) findings.push(judge(capability, results, evidence.build));
  }
  return findings;
}

function judge(capability: Capability, results: readonly ProbeResult[], build: KernelBuild): Finding {
  const { id, what, needed: blocks, absent } = capability;
  const working = results.filter((result) => result.works);
  if (working.length > 0) return works(id, what, results.length > 1 ? describeWays(working) : "");
  const denied = results.find(({ errno }) => errno === EPERM || errno === EACCES);
  if (denied !== undefined) return notPermitted(id, { what, errno: denied.errno, blocks });
  const failed = results.find(({ errno }) => !absent.includes(errno));
  if (failed !== undefined) return judgeFailure(capability, failed);
  const { cause, remedy } = explain(capability, results, build);
  const said = [...new Set(results.map(({ errno }) => describeErrno(errno)))].join(", ");
  return { id, state: "missing", blocks, what, cause: `${cause}; the kernel says ${said}`, remedy };
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
): { cause: string; remedy: string } {
  if ("symbol" in part) {
    return {
      cause: `This kernel is built without CONFIG_${part.symbol}`,
      remedy: `Use a kernel with CONFIG_${part.symbol}; it is never a module`,
    };
  }
  // Neither way to xtables is there: the extension itself could not be asked for.
  if (results.length > 1 && results.every(({ id, errno }) => errno === unreachable(id))) {
    const { cause, remedy } = explainMissing("nft_compat", build);
    return { cause: `${cause}, and ip_tables is not loaded either`, remedy };
  }
  const [{ id, errno }] = results;
  if (id.startsWith("xt-") && results.length === 1 && errno === unreachable(id)) {
    const ipv4 = id.includes("-ipv4/");
    return explainMissing(id.endsWith("/nft") ? "nft_compat" : ipv4 ? "ip_tables" : "ip6_tables", build);
  }
  return explainMissing(part.module, build);
}

/** The errno of a way that is not there at all. */
function unreachable(id: ProbeId): number {
  return id.endsWith("/nft") ? EINVAL : ENOPROTOOPT;
}
