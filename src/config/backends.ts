/**
 * Abilities of the backends, as far as a config may ask in vain. Pure.
 * @module
 */
import type { Config } from "./types.ts";

/** Things that a config may ask for and not every backend can say. */
export interface BackendAbilities {
  /** `intercept.router-traffic`. */
  readonly routerTraffic: boolean;
}

/** By the name of the backend. */
export const BACKEND_ABILITIES: Readonly<Record<Config["kernel"]["backend"], BackendAbilities>> = {
  netlink: { routerTraffic: true },
  iptables: { routerTraffic: false },
};
