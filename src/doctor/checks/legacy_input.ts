/**
 * The firewall of iptables-legacy: its INPUT chain may drop packets to the proxy. Pure.
 * @module
 */
import { hex } from "../../net/hex.ts";
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import type { LegacyInput } from "../machine/legacy_input.ts";
import type { Situation } from "../situation.ts";

const COMMANDS = { ipv4: "iptables", ipv6: "ip6tables" } as const;

/** The check. */
export const legacyInput: Check<readonly LegacyInput[]> = {
  id: "legacy-input",
  read: async ({ firewalls }) => (await firewalls()).legacyInput,
  judge: judgeLegacyInput,
};

/** Makes a finding for each chain that drops by policy. */
export function judgeLegacyInput(chains: readonly LegacyInput[], situation: Situation): Finding[] {
  const id = "legacy-input";
  const mark = hex(situation.config.kernel.mark);
  const dropping = chains.filter(({ family, policy }) =>
    policy === "drop" && situation.families.includes(family)
  );
  if (dropping.length === 0) {
    return [
      works(id, chains.length === 0 ? "no firewall of iptables-legacy" : "firewall: iptables-legacy accepts"),
    ];
  }
  return dropping.map(({ family, hasRules }) => {
    const command = COMMANDS[family];
    return warning(id, {
      what: `firewall: chain INPUT of ${command}-legacy, policy DROP`,
      blocks: !hasRules,
      cause: hasRules
        ? "It may drop packets that are delivered to the proxy, unless a rule accepts them: its rules are not read"
        : "It drops packets that are delivered to the proxy, by its policy",
      remedy:
        `${command}-legacy -I INPUT -m mark --mark ${mark}/${mark} -j ACCEPT; to keep it, put it into that ` +
        "firewall's configuration",
    });
  });
}
