/**
 * The place at which new flows are taken. Pure.
 * @module
 */
import type { Admission, Config } from "../config/types.ts";

/**
 * Finds where new flows are taken: as the config says, if its backend can. Rules of iptables cannot hold a
 * packet at the end of the forward path and tell what became of it there.
 */
export function admissionOf({ intercept, kernel }: Pick<Config, "intercept" | "kernel">): Admission {
  return kernel.backend === "iptables" ? "early" : intercept.admission;
}
