/**
 * The address families that a plan is for. Pure.
 * @module
 */
import type { Config } from "../../config/types.ts";
import { OperationError } from "../../net/error.ts";
import type { Family } from "../../net/ip.ts";
import type { Scope } from "./scope.ts";
import type { NetworkView } from "./view.ts";

/** Gives those of the families that the machine has. Install, run and doctor go by it. */
export function presentFamilies(wanted: readonly Family[], { ipv6 }: Pick<NetworkView, "ipv6">): Family[] {
  return wanted.filter((family) => family === "ipv4" || ipv6 === "on");
}

/**
 * Chooses: by default IPv6 is intercepted where there is any; what the file asks for by name must be
 * possible.
 */
export function chooseFamilies(
  wanted: Config["intercept"]["families"],
  view: NetworkView,
  named: boolean,
): { families: Family[]; warnings: string[] } {
  const families = presentFamilies(wanted, view);
  if (families.length === wanted.length) return { families, warnings: [] };
  const why = view.ipv6 === "off"
    ? "IPv6 is disabled on this machine (net.ipv6.conf.lo.disable_ipv6 = 1)"
    : "this kernel has no IPv6";
  if (!named && families.length > 0) return { families, warnings: [`Only IPv4 is intercepted: ${why}`] };
  throw new OperationError({
    operation: "intercept",
    object: "ipv6",
    reason: why,
    hint: view.ipv6 === "off"
      ? "Enable it with sysctl net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.lo.disable_ipv6=0, or set intercept.families to [ipv4]"
      : "Set intercept.families to [ipv4]",
  });
}

/** Warns of families that the machine does not forward. */
export function warnForwarding(
  families: readonly Family[],
  view: NetworkView,
  { admission }: Pick<Scope, "admission">,
): string[] {
  const names: Record<Family, string> = {
    ipv4: "net.ipv4.ip_forward",
    ipv6: "net.ipv6.conf.all.forwarding",
  };
  const consequence = admission === "early"
    ? "this machine does not forward what is not intercepted"
    : "this machine forwards nothing, and so nothing comes to the proxy";
  return families.filter((family) => !view.forwarding[family])
    .map((family) => `${names[family]} is 0: ${consequence}`);
}
