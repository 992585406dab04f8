/**
 * The place at which new flows are taken on this machine: as the config says, if its kernel can.
 * @module
 */
import type { Config } from "../../config/types.ts";
import { admissionOf } from "../../policy/admission.ts";
import type { AdmissionInForce } from "../situation.ts";

/** Finds it, and the reason where it is not what the config asks for. */
export function readAdmission(config: Config): AdmissionInForce {
  if (admissionOf(config) === config.intercept.admission) return { inForce: "early", reason: "" };
  return {
    inForce: "early",
    reason: "The backend iptables cannot hold a packet at the end of the forward path",
  };
}
