/**
 * Matches and targets of iptables as the kernel tells them: what doctor decides by. Pure.
 * @module
 */
import type { Case } from "./case.ts";

/** The rules, each in a chain of its own. */
export const XTABLES_RULES: readonly string[] = [
  "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
  "-m conntrack ! --ctstate NEW -j ACCEPT",
  "-m conntrack --ctstate UNTRACKED -j ACCEPT",
  "-m state --state ESTABLISHED -j ACCEPT",
  "-m mark --mark 0x1/0x1 -j ACCEPT",
  "-m mark ! --mark 0x1/0x1 -j ACCEPT",
  "-m addrtype --dst-type LOCAL -j ACCEPT",
  "-m addrtype ! --dst-type LOCAL -j ACCEPT",
  "-p tcp -m multiport --dports 22,80,400:500 -j ACCEPT",
  "-p tcp -m multiport ! --dports 22,443 -j ACCEPT",
  "-p tcp -m multiport --sports 22 -j ACCEPT",
  "-p tcp --dport 443 -j ACCEPT",
  "-s 192.168.1.0/24 -j ACCEPT",
  "-s 192.168.2.0/24 -j ACCEPT",
  "-i br-lan -m comment --comment lan -j ACCEPT",
  "-i br+ -j ACCEPT",
  "-m limit --limit 25/sec -j ACCEPT",
  "-m hashlimit --hashlimit-above 25/sec --hashlimit-name n -j ACCEPT",
  "-m recent --name n --update --seconds 60 --hitcount 4 -j ACCEPT",
  "-m length --length 40:80 -j ACCEPT",
  "-j REJECT",
];

/** All of them in one dump. */
export const XTABLES_MATCHES: readonly Case[] = [{
  name: "dump-iptables-matches",
  setup: XTABLES_RULES.flatMap((rule, index) => [
    `iptables-nft -N rule${index}`,
    `iptables-nft -A rule${index} ${rule}`,
  ]),
  command: ["nft", "-a", "list", "ruleset"],
  direction: "received",
}];
