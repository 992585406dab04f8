/**
 * The place at which new flows are taken on this machine: as the config says, if its kernel can.
 * @module
 */
import type { Config } from "../../config/types.ts";
import { admissionOf } from "../../policy/admission.ts";
import type { AdmissionInForce } from "../situation.ts";

/** Finds it, and the reason where it is not what the config asks for. */
export function readAdmission(config: Config): AdmissionInForce {
  const possible = admissionOf(config) === "early" ? "early" : "early";
  if (possible === config.intercept.admission) return { inForce: possible, reason: "" };
  return { inForce: possible, reason: "the backend iptables cannot do otherwise" };
}
