/**
 * The firewalls that are known by name, how each is told to accept something, and how it keeps that. Pure.
 * @module
 */
import { hex } from "../../net/hex.ts";
import type { FirewallChain, FirewallProgram } from "./chain.ts";
import { LOOPBACK } from "../../constants.ts";

/** A firewall; the last three are rules by hand or by a script. */
export type Firewall = "fw4" | "firewalld" | "ufw" | "nixos" | "docker" | FirewallProgram;

/** A kind of packets that is to be accepted. */
export type Wish =
  | { readonly kind: "mark"; readonly mark: number; readonly from?: string }
  | { readonly kind: "from-loopback" | "to-loopback" | "established" }
  | { readonly kind: "forwarding"; readonly from: string; readonly to: string }
  | { readonly kind: "coming"; readonly from: string }
  | { readonly kind: "leaving" | "dials"; readonly to: string };

/** Tells whose chain it is. */
export function firewallOf({ chain, table, program }: FirewallChain): Firewall {
  if (chain.table === "fw4" || chain.table === "firewalld") return chain.table;
  const rules = table?.rules ?? [];
  if (chain.table === "nixos-fw" || rules.some((rule) => rule.chain.startsWith("nixos-fw"))) return "nixos";
  const jumpsTo = (prefix: string) =>
    rules.some(({ chain: from, expressions }) =>
      from === chain.name &&
      expressions.some((e) => e.kind === "verdict" && e.verdict.chain?.startsWith(prefix) === true)
    );
  return jumpsTo("ufw") ? "ufw" : jumpsTo(DOCKER_CHAIN) ? "docker" : program;
}

const DOCKER_CHAIN = "DOCKER-USER";

const NAMES: Readonly<Record<Firewall, string>> = {
  fw4: "OpenWrt's firewall made it",
  firewalld: "firewalld made it",
  ufw: "ufw made it",
  nixos: "NixOS' firewall made it",
  docker: "Docker made it",
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
export function adviseAccept(of: FirewallChain, wishes: readonly Wish[]): string {
  const firewall = firewallOf(of);
  if (firewall === "firewalld") {
    const said = wishes.map(adviseFirewalld);
    if (!said.includes(undefined)) return [...new Set(said)].join("; and ");
  }
  const commands = [...new Set(wishes.map((wish) => commandFor(firewall, of, wish)))];
  const keeping = [...new Set(wishes.map((wish) => adviseKeeping(firewall, of, wish)))];
  return `${commands.join("; and ")}; to keep ${commands.length === 1 ? "it" : "them"}, ${
    keeping.join("; and ")
  }`;
}

/** Docker flushes and makes its chains anew, but leaves one to its administrator. */
function commandFor(firewall: Firewall, of: FirewallChain, wish: Wish): string {
  const { family, table, name } = of.chain;
  if (of.program === "nft") return `nft insert rule ${family} ${table} ${name} ${nftMatch(wish)} accept`;
  const chain = firewall === "docker" && name === "FORWARD" ? DOCKER_CHAIN : name;
  const where = table === "filter" ? "" : `-t ${table} `;
  return `${iptablesOf(of)} ${where}-I ${chain} ${iptablesMatch(wish)} -j ACCEPT`;
}

/** With its kind: the plain name may stand for the other one. */
function iptablesOf({ chain, program }: FirewallChain): string {
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
    case "coming":
      return `iifname ${wish.from}`;
    case "leaving":
      return `oifname ${wish.to}`;
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
    case "coming":
      return `-i ${wish.from}`;
    case "leaving":
      return `-o ${wish.to}`;
    case "dials":
      return `-o ${wish.to} -m conntrack --ctstate NEW`;
  }
}

/** POLICY_NAME_MAX of firewalld is 18. */
const POLICY_NAME_SIZE = 17;

/** Commands that need no other: a table of firewalld takes no rules of others where it owns it. */
function adviseFirewalld(wish: Wish): string | undefined {
  const reload = "firewall-cmd --reload";
  if (wish.kind === "mark" && wish.from !== undefined) {
    return `firewalld knows no marks, so put ${wish.from} into a zone that accepts: firewall-cmd --permanent ` +
      `--zone=trusted --change-interface=${wish.from}; ${reload}`;
  }
  if (wish.kind !== "forwarding") return undefined;
  const { from, to } = wish;
  const name = `${from}-${to}`.slice(0, POLICY_NAME_SIZE);
  const policy = `firewall-cmd --permanent --policy=${name}`;
  const zoneOf = (link: string) => `$(firewall-cmd --get-zone-of-interface=${link})`;
  return [
    `firewall-cmd --permanent --new-policy=${name}`,
    `${policy} --add-ingress-zone=${zoneOf(from)}`,
    `${policy} --add-egress-zone=${zoneOf(to)}`,
    `${policy} --set-target=ACCEPT`,
    reload,
  ].join("; ");
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
        } accept" into /usr/share/nftables.d/chain-pre/${chain.name}/tproxy.nft, and then "fw4 reload"`;
    case "firewalld":
      return adviseFirewalld(wish) ?? "see its zones and policies";
    case "ufw": {
      const file = chain.family === "ip6" ? "before6.rules" : "before.rules";
      const prefix = chain.family === "ip6"
        ? UFW_CHAINS[chain.name]?.replace("ufw", "ufw6")
        : UFW_CHAINS[chain.name];
      return wish.kind === "forwarding"
        ? `ufw route allow in on ${wish.from} out on ${wish.to}`
        : `put "-A ${prefix ?? chain.name} ${
          iptablesMatch(wish)
        } -j ACCEPT" before the first "-A" of /etc/ufw/${file}, and then "ufw reload"`;
    }
    case "nixos":
      return chain.table === "nixos-fw"
        ? `networking.firewall.${chain.name === "forward" ? "extraForwardRules" : "extraInputRules"} = ` +
          `"${nftMatch(wish)} accept"`
        : `networking.firewall.extraCommands = "${
          chain.family === "ip6" ? "ip6tables" : "iptables"
        } -I ${chain.name} ${iptablesMatch(wish)} -j ACCEPT"`;
    case "docker":
      return "run it after each start of Docker (ExecStartPost= of docker.service), or have Docker leave the policy " +
        'alone ("ip-forward-no-drop": true in /etc/docker/daemon.json, from Docker 28 on)';
    case "iptables-nft":
    case "iptables-legacy":
      return 'put it where your rules are loaded from (Debian: "netfilter-persistent save")';
    case "nft":
      return "put it into that firewall's configuration (/etc/nftables.conf)";
    default:
      return firewall satisfies never;
  }
}
