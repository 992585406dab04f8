/** The firewalls that are known by name, and the remedy that each is given in its own words. */
import assert from "node:assert/strict";
import {
  adviseAccept,
  describeOwner,
  firewallOf,
  type Wish,
} from "../../../../src/doctor/firewall/firewall.ts";
import type { NftExpression } from "../../../../src/netlink/nft/expression.ts";
import { chainOf, type ChainText } from "../support/firewall.ts";

const jump = (chain: string): NftExpression[] => [{ kind: "verdict", verdict: { code: "jump", chain } }];
const IPTABLES = { family: "ip", table: "filter", program: "iptables-nft" } as const;
const FORWARD: ChainText = { ...IPTABLES, hook: "forward", name: "FORWARD" };
const INPUT: ChainText = { ...IPTABLES, hook: "input", name: "INPUT" };

const LAN_TO_WAN: Wish = { kind: "forwarding", from: "br-lan", to: "eth0" };
const MARK: Wish = { kind: "mark", mark: 1, from: "br-lan" };
const LATER: Wish = { kind: "established" };

/** A chain, the firewall that made it, a wish, and the advice. */
const CASES: readonly (readonly [ChainText, ReturnType<typeof firewallOf>, Wish, RegExp])[] = [
  [
    { hook: "forward", table: "fw4" },
    "fw4",
    LAN_TO_WAN,
    /^nft insert rule inet fw4 forward iifname br-lan oifname eth0 accept; to keep it, uci add firewall forwarding/,
  ],
  [
    { hook: "input", table: "fw4" },
    "fw4",
    MARK,
    /put "meta mark and 0x1 == 0x1 accept" into \/usr\/share\/nftables\.d\/chain-pre\/input\/tproxy\.nft,/,
  ],
  [
    { hook: "forward", table: "firewalld", name: "filter_FORWARD" },
    "firewalld",
    LAN_TO_WAN,
    /^firewall-cmd --permanent --new-policy=br-lan-eth0; firewall-cmd .*--add-ingress-zone=\$\(firewall-cmd --get-zone-of-interface=br-lan\); .*--set-target=ACCEPT; firewall-cmd --reload$/,
  ],
  [
    { hook: "input", table: "firewalld", name: "filter_INPUT" },
    "firewalld",
    MARK,
    /^firewalld knows no marks, .*--zone=trusted --change-interface=br-lan; firewall-cmd --reload$/,
  ],
  [
    { hook: "input", table: "firewalld", name: "filter_INPUT" },
    "firewalld",
    LATER,
    /^nft insert rule inet firewalld filter_INPUT ct state established,related accept; to keep it, see its zones/,
  ],
  [
    { ...FORWARD, rules: [jump("ufw-before-forward")] },
    "ufw",
    LAN_TO_WAN,
    /^iptables-nft -I FORWARD -i br-lan -o eth0 -j ACCEPT; to keep it, ufw route allow in on br-lan out on eth0$/,
  ],
  [
    { ...INPUT, family: "ip6", program: "iptables-legacy", rules: [jump("ufw6-before-input")] },
    "ufw",
    MARK,
    /^ip6tables-legacy -I INPUT .*"-A ufw6-before-input -m mark --mark 0x1\/0x1 -j ACCEPT" before the first "-A" of \/etc\/ufw\/before6\.rules/,
  ],
  [
    { ...INPUT, family: "ip6", further: { "nixos-fw": [jump("nixos-fw-log-refuse")] } },
    "nixos",
    LATER,
    /extraCommands = "ip6tables -I INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"$/,
  ],
  [
    { hook: "input", table: "nixos-fw" },
    "nixos",
    LATER,
    /extraInputRules = "ct state established,related accept"$/,
  ],
  [
    { ...FORWARD, rules: [jump("DOCKER-USER")] },
    "docker",
    LAN_TO_WAN,
    /^iptables-nft -I DOCKER-USER -i br-lan -o eth0 -j ACCEPT; to keep it, .*ip-forward-no-drop/,
  ],
  [INPUT, "iptables-nft", LATER, /netfilter-persistent save/],
  [{ ...FORWARD, table: "mangle" }, "iptables-nft", LAN_TO_WAN, /^iptables-nft -t mangle -I FORWARD -i/],
  [{ ...INPUT, program: "iptables-legacy" }, "iptables-legacy", LATER, /^iptables-legacy -I INPUT/],
  [{ hook: "input" }, "nft", LATER, /to keep it, put it into that firewall's configuration/],
];

Deno.test("adviseAccept() speaks the language of the firewall that has made the chain", () => {
  for (const [text, firewall, wish, advice] of CASES) {
    const chain = chainOf(text);
    assert.equal(firewallOf(chain), firewall);
    assert.match(adviseAccept(chain, [wish]), advice, firewall);
    assert.equal(describeOwner(chain) === "", firewall === "nft");
  }
});

Deno.test("adviseAccept() says each command once, and once how to keep them", () => {
  assert.equal(
    adviseAccept(chainOf(INPUT), [LATER, { kind: "from-loopback" }, LATER]),
    "iptables-nft -I INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT; and " +
      'iptables-nft -I INPUT -i lo -j ACCEPT; to keep them, put it where your rules are loaded from (Debian: "netfilter-persistent save")',
  );
});

Deno.test("firewallOf() goes by the rules of the chain itself: Docker beside ufw is not in its INPUT", () => {
  const further = { FORWARD: [jump("DOCKER-USER")] };
  assert.equal(firewallOf(chainOf({ ...INPUT, further })), "iptables-nft");
});
