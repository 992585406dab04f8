/**
 * What the backend iptables can promise for the moments in which a proxy goes.
 * @module
 */
import type { Config } from "../config/types.ts";
import { ALIVE_SECONDS } from "../constants.ts";

/** What happens to new flows after the proxy has been killed, in words. */
export function describeIptablesFailure({ intercept: { onFailure } }: Config): string {
  if (onFailure === "drop") return "on-failure: drop holds at every moment";
  return `on-failure: ${onFailure} holds from ${ALIVE_SECONDS} s after a proxy was killed, ` +
    "until then new flows are dropped; one that ends by itself says so at once";
}
