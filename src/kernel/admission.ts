/**
 * The place at which new flows are taken on this machine: as the config says, if its backend and its kernel
 * can.
 * @module
 */
import type { Admission, Config } from "../config/types.ts";
import { admissionOf } from "../policy/admission.ts";
import { EINVAL, EOPNOTSUPP } from "../net/errno.ts";
import type { OperationError } from "../net/error.ts";
import { hasNames } from "../policy/conditions.ts";
import { hasFlowTables } from "../netlink/nft/table.ts";
import { openNetlink } from "../netlink/transport.ts";
import { canWatch, canWatchDatagrams, forwardPathAbility, howToHold } from "./live/ability.ts";
import { findPart, namePart } from "./parts.ts";

/** Answers of a kernel that does not know what it is asked for. */
const UNKNOWN: readonly number[] = [EINVAL, EOPNOTSUPP];

/** The place, and the reason where it is not what the config asks for. */
export interface AdmissionInForce {
  readonly inForce: Admission;
  /** Empty where it is. */
  readonly reason: string;
}

/** Finds it. All who plan or report for this machine ask here. */
export function readAdmission(config: Pick<Config, "intercept" | "kernel">): AdmissionInForce {
  const possible = admissionOf(config);
  if (possible !== config.intercept.admission) {
    return { inForce: possible, reason: `the backend ${config.kernel.backend} cannot do otherwise` };
  }
  const missing = possible === "forward-path" ? forwardPathAbility() : null;
  if (missing === null) return { inForce: possible, reason: "" };
  return { inForce: "early", reason: describeLack(missing) };
}

/** Tells which flows may be watched. Only names need it: without them the kernel is spared the trial. */
export function readWatching(
  config: Pick<Config, "rules">,
  admission: AdmissionInForce,
): { watching: boolean; watchingUdp: boolean } {
  const watching = isAsked(config, admission) && canWatch() && !findFlowTables();
  return { watching, watchingUdp: watching && canWatchDatagrams() };
}

/** Says how flows are watched, or why the proxy relays them; undefined: no name asks for it. */
export function describeWatching(
  config: Pick<Config, "rules">,
  admission: AdmissionInForce,
): string | undefined {
  if (!isAsked(config, admission)) return undefined;
  if (!canWatch()) return "flows whose names decide are relayed: this kernel cannot watch them (Linux 5.18)";
  if (findFlowTables()) {
    return "flows whose names decide are relayed, not watched: a flow table of nf_tables takes connections past all " +
      "rules before their clients have spoken";
  }
  return `flows whose names may only end them are watched, held by ${
    howToHold() === "queue" ? "NFQUEUE" : "NFLOG, as the kernel lacks nft_queue or nfnetlink_queue"
  }`;
}

function isAsked({ rules }: Pick<Config, "rules">, { inForce }: AdmissionInForce): boolean {
  return inForce === "forward-path" && rules.some(hasNames);
}

/** Asks anew each time: others make and remove them. */
function findFlowTables(): boolean {
  using connection = openNetlink("netfilter");
  return hasFlowTables(connection);
}

/** The warning where flows are taken at another place than the config asks for; undefined: they are not. */
export function warnAdmission({ inForce, reason }: AdmissionInForce): string | undefined {
  if (reason === "") return undefined;
  return `intercept.admission: ${inForce} is in force, since ${reason}`;
}

/** Says which part of the kernel a refusal shows the lack of. */
export function describeLack(error: OperationError): string {
  if (error.operation === "add table" && UNKNOWN.includes(error.errno)) {
    return "the kernel has no tables that belong to a process (Linux 5.12)";
  }
  const { missingModule } = error;
  if (missingModule === "") return `the kernel refuses it: ${error.message}`;
  const part = findPart(missingModule);
  const openWrt = part === undefined ? "" : `; on OpenWrt: ${part.openWrtPackage}`;
  // The kernel refuses the same expression in the same way for either.
  const other = missingModule === "nfnetlink_log" ? ` or ${namePart("nft_log")}` : "";
  return `the kernel lacks ${namePart(missingModule)}${other}${openWrt}`;
}
