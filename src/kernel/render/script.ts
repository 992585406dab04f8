/**
 * A plan as one shell script of `nft` and `ip` commands: what `install --dry-run` prints. It gives the same kernel
 * state as install and can be run twice. Pure.
 * @module
 */
import type { Plan } from "../model.ts";
import { renderRoute, renderRoutingRemoval, renderRoutingRule } from "./ip.ts";
import { renderNft } from "./nft.ts";

/** The script. `origin` names the config. */
export function renderScript(plan: Plan, options: { origin: string }): string {
  const lines = [
    ...renderScriptHead(plan, options),
    ...renderRouting(plan),
    "",
    "nft -f - <<'END'",
    renderNft(plan.table).trimEnd(),
    "END",
    "",
  ];
  return lines.join("\n");
}

/** What the script is for. */
export function renderScriptHead(plan: Plan, { origin }: { origin: string }): string[] {
  return [
    "#!/bin/sh",
    `# What "tproxy install" does on this router, with the config of: ${origin}`,
    "# It can be run (sh FILE), also twice, and gives the same state of the kernel. No sysctl is changed.",
    `# Clients are intercepted on: ${plan.lan.join(", ")}`,
    ...plan.warnings.map((warning) => `# Warning: ${warning}`),
    "set -e",
    "",
  ];
}

/** Policy routing, the same for every backend. */
export function renderRouting(plan: Plan): string[] {
  return [
    "# The routes and rules of an earlier install are removed first, known by protocol number and priority",
    ...(["ipv4", "ipv6"] as const).flatMap(renderRoutingRemoval),
    "",
    "# A packet with the mark is delivered to this machine, whatever its destination",
    ...plan.routes.map((route) =>
      route.foreign ? `# already there, made by another program: ${renderRoute(route)}` : renderRoute(route)
    ),
    "# One rule for each interface: with iif it works with any src_valid_mark and rp_filter",
    ...plan.routingRules.map(renderRoutingRule),
  ];
}
