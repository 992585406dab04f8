/**
 * The firewalls that are known by name, how each is told to accept something, and how it keeps that. Pure.
 * @module
 */
import { hex } from "../../net/hex.ts";
import type { FirewallChain, FirewallProgram } from "./chain.ts";
import { LOOPBACK } from "../../constants.ts";

/** A firewall; the last three are rules by hand or by a script. */
export type Firewall = "fw4" | "firewalld" | "ufw" | "nixos" | FirewallProgram;

/** A kind of packets that is to be accepted. */
export type Wish =
  | { readonly kind: "mark"; readonly mark: number }
  | { readonly kind: "from-loopback" | "to-loopback" | "established" }
  | { readonly kind: "forwarding"; readonly from: string; readonly to: string }
  | { readonly kind: "dials"; readonly to: string };

/** Tells whose chain it is. */
export function firewallOf({ chain, table, program }: FirewallChain): Firewall {
  if (chain.table === "fw4" || chain.table === "firewalld") return chain.table;
  const rules = table?.rules ?? [];
  if (chain.table === "nixos-fw" || rules.some((rule) => rule.chain.startsWith("nixos-fw"))) return "nixos";
  const jumps = rules.some(({ expressions }) =>
    expressions.some((e) => e.kind === "verdict" && e.verdict.chain?.startsWith("ufw") === true)
  );
  return jumps ? "ufw" : program;
}

const NAMES: Readonly<Record<Firewall, string>> = {
  fw4: "OpenWrt's firewall made it",
  firewalld: "firewalld made it",
  ufw: "ufw made it",
  nixos: "NixOS' firewall made it",
  nft: "",
  "iptables-nft": "iptables-nft made it",
  "iptables-legacy": "iptables-legacy made it",
};

/** `; OpenWrt's firewall made it`, or nothing. */
export function describeOwner(of: FirewallChain): string {
  const name = NAMES[firewallOf(of)];
  return name === "" ? "" : `; ${name}`;
}

/** `chain input of table inet filter`; of iptables-legacy, `chain INPUT of iptables-legacy`. */
export function describeChain({ chain, program }: FirewallChain): string {
  const { family, table, name } = chain;
  if (program !== "iptables-legacy") return `chain ${name} of table ${family} ${table}`;
  const where = family === "ip6" ? "ip6tables-legacy" : "iptables-legacy";
  return `chain ${name} of ${where}${table === "filter" ? "" : `, table ${table}`}`;
}

/** Advises to have it accepted now, and then for good, in the words of the chain's firewall. */
export function adviseAccept(of: FirewallChain, wish: Wish): string {
  const { chain } = of;
  const command = of.program === "nft"
    ? `nft insert rule ${chain.family} ${chain.table} ${chain.name} ${nftMatch(wish)} accept`
    : `${commandOf(of)} -I ${chain.name} ${iptablesMatch(wish)} -j ACCEPT`;
  return `${command}; to keep it, ${adviseKeeping(firewallOf(of), of, wish)}`;
}

/** With its kind: the plain name may stand for the other one. */
function commandOf({ chain, program }: FirewallChain): string {
  return `${chain.family === "ip6" ? "ip6tables" : "iptables"}-${
    program === "iptables-legacy" ? "legacy" : "nft"
  }`;
}

function nftMatch(wish: Wish): string {
  switch (wish.kind) {
    case "mark":
      return `meta mark and ${hex(wish.mark)} == ${hex(wish.mark)}`;
    case "from-loopback":
      return `iif ${LOOPBACK}`;
    case "to-loopback":
      return `oif ${LOOPBACK}`;
    case "established":
      return "ct state established,related";
    case "forwarding":
      return `iifname ${wish.from} oifname ${wish.to}`;
    case "dials":
      return `oifname ${wish.to} ct state new`;
  }
}

function iptablesMatch(wish: Wish): string {
  switch (wish.kind) {
    case "mark":
      return `-m mark --mark ${hex(wish.mark)}/${hex(wish.mark)}`;
    case "from-loopback":
      return `-i ${LOOPBACK}`;
    case "to-loopback":
      return `-o ${LOOPBACK}`;
    case "established":
      return "-m conntrack --ctstate ESTABLISHED,RELATED";
    case "forwarding":
      return `-i ${wish.from} -o ${wish.to}`;
    case "dials":
      return `-o ${wish.to} -m conntrack --ctstate NEW`;
  }
}

const UFW_CHAINS: Readonly<Record<string, string>> = {
  INPUT: "ufw-before-input",
  OUTPUT: "ufw-before-output",
  FORWARD: "ufw-before-forward",
};

/** Says where that firewall keeps its rules. */
function adviseKeeping(firewall: Firewall, { chain }: FirewallChain, wish: Wish): string {
  switch (firewall) {
    case "fw4":
      return wish.kind === "forwarding"
        ? 'uci add firewall forwarding, set its src and dest to the zones of both, "uci commit firewall"'
        : `put "${
          nftMatch(wish)
        } accept" into a file of /usr/share/nftables.d/chain-pre/${chain.name}/, and then ` +
          '"fw4 reload"';
    case "firewalld":
      return wish.kind === "forwarding"
        ? "firewall-cmd --permanent --new-policy=lan-wan with --add-ingress-zone, --add-egress-zone and " +
          '--set-target=ACCEPT, and then "firewall-cmd --reload"'
        : wish.kind === "mark"
        ? "which firewalld cannot say by mark, put the clients' interfaces into a zone that accepts: " +
          "firewall-cmd --permanent --zone=trusted --change-interface=…"
        : "see its zone or policy for the host";
    case "ufw": {
      const file = chain.family === "ip6" ? "before6.rules" : "before.rules";
      const prefix = chain.family === "ip6"
        ? UFW_CHAINS[chain.name]?.replace("ufw", "ufw6")
        : UFW_CHAINS[chain.name];
      return wish.kind === "forwarding"
        ? `ufw route allow in on ${wish.from} out on ${wish.to}`
        : `put "-A ${prefix ?? chain.name} ${
          iptablesMatch(wish)
        } -j ACCEPT" at the head of /etc/ufw/${file}, and ` +
          'then "ufw reload"';
    }
    case "nixos":
      return chain.table === "nixos-fw"
        ? `networking.firewall.${chain.name === "forward" ? "extraForwardRules" : "extraInputRules"} = ` +
          `"${nftMatch(wish)} accept"`
        : `networking.firewall.extraCommands = "iptables -I ${chain.name} ${iptablesMatch(wish)} -j ACCEPT"`;
    case "iptables-nft":
    case "iptables-legacy":
      return 'put it where your rules are loaded from (Debian: "netfilter-persistent save")';
    case "nft":
      return "put it into that firewall's configuration (/etc/nftables.conf)";
    default:
      return firewall satisfies never;
  }
}
