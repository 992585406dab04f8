/**
 * A plan as one shell script of `nft` and `ip` commands: what `install --dry-run` prints. It gives the same kernel
 * state as install and can be run twice. Pure.
 * @module
 */
import { ROUTE_PROTOCOL, RULE_PRIORITY } from "../../constants.ts";
import { FAMILIES } from "../../net/families.ts";
import type { Plan } from "../plan/model.ts";
import { renderRoute, renderRoutingRemoval, renderRoutingRule } from "../routing/render.ts";
import { compileTable } from "./compile.ts";
import { renderNft } from "./render.ts";

/** The script. `origin` names the config. */
export function renderScript(plan: Plan, options: { origin: string }): string {
  const lines = [
    ...renderScriptHead(plan, options),
    ...renderRouting(plan),
    "",
    "nft -f - <<'END'",
    renderNft(compileTable(plan)).trimEnd(),
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
    "# It is the set-up of the kernel's page on TPROXY (Documentation/networking/tproxy.rst), whose lines stand above ours as",
    '# "page: …". What differs has its reason beside it.',
    `# Clients are intercepted on: ${plan.lan.join(", ")}`,
    ...plan.warnings.map((warning) => `# Warning: ${warning}`),
    "set -e",
    "",
  ];
}

/** Policy routing, the same for every backend. */
export function renderRouting(plan: Plan): string[] {
  return [
    "# Policy routing comes first: from its first packet on, what is marked must be delivered.",
    `# The routes and rules of an earlier install go; they are known by protocol ${ROUTE_PROTOCOL} and priority ${RULE_PRIORITY}`,
    ...FAMILIES.flatMap(renderRoutingRemoval),
    "",
    "# page: ip route add local 0.0.0.0/0 dev lo table 100",
    "# What is looked up in this table is delivered to this machine, whatever its destination: 0.0.0.0/0, ::/0",
    ...plan.routes.map((route) =>
      route.foreign ? `# already there, made by another program: ${renderRoute(route)}` : renderRoute(route)
    ),
    "",
    "# page: ip rule add fwmark 1 lookup 100",
    "# What has the mark is looked up there; the other bits of the mark are other programs'. One rule for each interface:",
    "# without iif the packets would vanish where the sysctl src_valid_mark is 1 (Tailscale and wg-quick set it)",
    ...plan.routingRules.map(renderRoutingRule),
  ];
}
