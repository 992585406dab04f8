/**
 * A plan as one shell script of `iptables-restore` and `ip` commands. It gives the same kernel state as
 * install and can be run twice. Pure.
 * @module
 */
import {
  CHAIN_PREFIX,
  type FamilyRules,
  OWNER_CHAIN,
  OWNER_COMMENT,
  type TableRules,
} from "./compile/model.ts";
import { renderJumps } from "./state/restore.ts";
import { commentLine, renderScriptHead } from "../backend/script_head.ts";
import type { Plan } from "../plan/model.ts";
import { renderRouting } from "../routing/render.ts";

/**
 * Functions that remove the chains of an earlier install in the same atomic step in which the new ones come.
 */
const FUNCTIONS = [
  "# The chains of an earlier install in a table: jumps to them, rules, chains",
  "earlier() { # SAVE TABLE",
  `  "$1" -t "$2" | sed -n 's/^-A \\(.* -j ${CHAIN_PREFIX}[A-Z_]*\\)$/-D \\1/p'`,
  `  "$1" -t "$2" | sed -n 's/^:\\(${CHAIN_PREFIX}[^ ]*\\) .*/-F \\1/p'`,
  `  "$1" -t "$2" | sed -n 's/^:\\(${CHAIN_PREFIX}[^ ]*\\) .*/-X \\1/p'`,
  "}",
  "# Whose the chains are, as an earlier install says",
  "owner() { # SAVE TABLE",
  `  "$1" -t "$2" | grep '^-A ${OWNER_CHAIN}' || echo '-A ${OWNER_CHAIN} -m comment --comment "${OWNER_COMMENT}"'`,
  "}",
];

/** Lines of the kernel's page, by the table and chain that do what they do. */
const PAGE: Readonly<Record<string, readonly string[]>> = {
  "mangle TPROXY_LOCAL": [
    "page: iptables -t mangle -A DIVERT -j MARK --set-mark 1",
    "page: iptables -t mangle -A DIVERT -j ACCEPT",
    "set-xmark with a mask: the other bits are other programs'",
  ],
  "mangle TPROXY_DIVERT_REPLIES": ["page: iptables -t mangle -A PREROUTING -p tcp -m socket -j DIVERT"],
  "mangle TPROXY_STEER": [
    "page: iptables -t mangle -A PREROUTING -p tcp --dport 80 -j TPROXY --tproxy-mark 0x1/0x1 --on-port 50080",
    "With the listener's address: one on all addresses would take connections to port 50080 of any server",
  ],
  "raw TPROXY_DIVERT": [
    "page: iptables -t mangle -A PREROUTING -p tcp -m socket -j DIVERT",
    "In raw, before conntrack: that would take the proxy's own leg for the client's, and not masquerade it",
  ],
};

/** The script. `origin` names the config. */
export function renderIptablesScript(
  plan: Plan,
  options: { origin: string; iptables: readonly FamilyRules[] },
): string {
  const lines = [
    ...renderScriptHead(plan, options),
    ...renderRouting(plan),
    "",
    ...FUNCTIONS,
    ...options.iptables.flatMap(renderFamily),
    "",
  ];
  return lines.join("\n");
}

function renderFamily({ family, tables }: FamilyRules): string[] {
  const command = family === "ipv4" ? "iptables" : "ip6tables";
  return tables.flatMap((table) => ["", ...renderTable(table, command)]);
}

function renderTable(rules: TableRules, command: string): string[] {
  const words = `${command}-save ${rules.table}`;
  return [
    `{ echo '*${rules.table}'; earlier ${words}; cat <<'END'; owner ${words}; echo COMMIT`,
    ...explain(rules),
    "END",
    `} | ${command}-restore --noflush --wait 10`,
  ];
}

/** The lines with the reasons above them. */
function explain(rules: TableRules): string[] {
  return [
    `:${OWNER_CHAIN} - [0:0]`,
    ...rules.chains.map(({ name }) => `:${name} - [0:0]`),
    ...rules.chains.flatMap(({ name, reason, rules: lines }) => [
      commentLine(`${name}: ${reason}`),
      ...(PAGE[`${rules.table} ${name}`] ?? []).map((line) => `#   ${line}`),
      ...lines.flatMap((rule) => [commentLine(`  ${rule.reason}`), `-A ${name} ${rule.text}`]),
    ]),
    ...renderJumps(rules),
  ];
}
