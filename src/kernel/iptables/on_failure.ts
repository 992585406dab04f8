/**
 * Promises of the backend iptables for the moments in which a proxy goes.
 * @module
 */
import type { Config } from "../../config/types.ts";
import { ALIVE_SECONDS } from "../../constants.ts";

/** Describes the fate of new flows after the proxy has been killed. */
export function describeIptablesFailure({ intercept: { onFailure } }: Config): string {
  if (onFailure === "drop") return "on-failure: drop holds at every moment";
  return `on-failure: ${onFailure} holds as soon as a proxy ends or is killed; where there is no /bin/sh to tell, or that ` +
    `is killed as well, from ${ALIVE_SECONDS} s later, and until then new flows are dropped`;
}
