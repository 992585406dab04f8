/** A machine and configs for the tests of the plan. */
import { DEFAULT_CONFIG } from "../../../../src/config/defaults.ts";
import type { Config, InterceptConfig } from "../../../../src/config/types.ts";
import type { NetworkView } from "../../../../src/kernel/plan/view.ts";

/** A router: a bridge with two ports as LAN, a WAN with the default route. */
export const ROUTER: NetworkView = {
  links: [
    { name: "lo", loopback: true },
    { name: "eth0", loopback: false },
    { name: "eth1", loopback: false, master: "br-lan" },
    { name: "wlan0", loopback: false, master: "br-lan" },
    { name: "br-lan", loopback: false },
  ],
  defaultRouteLinks: ["eth0"],
  foreignRoutes: [],
  ipv6: "on",
  forwarding: { ipv4: true, ipv6: true },
};

/** The default config, but that flows are taken early, with other `intercept` and `kernel` keys. */
export function configWith(
  intercept: Partial<InterceptConfig> = {},
  kernel: Partial<Config["kernel"]> = {},
): Config {
  return {
    ...DEFAULT_CONFIG,
    intercept: { ...DEFAULT_CONFIG.intercept, admission: "early", ...intercept },
    kernel: { ...DEFAULT_CONFIG.kernel, ...kernel },
  };
}
