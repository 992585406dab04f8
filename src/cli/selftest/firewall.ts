/**
 * The router's own firewall in the self-test, as an administrator would have it: it forwards established
 * flows, and new ones only if told to; it may masquerade.
 * @module
 */
import { NftBatch } from "../../netlink/nft/batch.ts";
import type { NftExpression } from "../../netlink/nft/expression.ts";
import {
  inputInterface,
  masquerade,
  outputInterface,
  transport,
  verdict,
} from "../../netlink/nft/phrases.ts";
import { hostKey } from "../../netlink/nft/sets/set_type.ts";
import { openNetlink } from "../../netlink/transport.ts";
import { ACCEPT_ESTABLISHED } from "./router/surroundings.ts";

const FILTER = { family: "inet", name: "selftest_filter" } as const;
const NAT = { family: "inet", name: "selftest_nat" } as const;

/** Postrouting, behind the chain in which first packets ask (300). */
const GUARD_PRIORITY = 350;

/** `iif != 0`: what the router itself sends came in nowhere. */
const FORWARDED: readonly NftExpression[] = [
  { kind: "meta", direction: "load", key: "iif", register: 1 },
  { kind: "cmp", operator: "neq", register: 1, value: hostKey(0) },
];

/**
 * Equivalent to: chain guard { type filter hook postrouting priority 350; ct state established,related
 * accept; iif != 0 meta l4proto { tcp, udp } drop; }. The guard is behind all that may ask. And:
 * chain forward { … ct state established,related accept; iifname r1 drop; }, as every router has it towards
 * its LAN.
 */
export function loadForwardPolicy(policy: "accept" | "drop"): void {
  const batch = new NftBatch();
  batch.addTable(FILTER);
  batch.deleteTable(FILTER);
  batch.addTable(FILTER);
  const chain = { family: FILTER.family, table: FILTER.name };
  batch.addChain({
    ...chain,
    name: "guard",
    base: { type: "filter", hook: "postrouting", priority: GUARD_PRIORITY, policy: "accept" },
  });
  const drops = (["tcp", "udp"] as const).map((protocol) => [
    ...FORWARDED,
    ...transport(protocol),
    ...verdict("drop"),
  ]);
  // The question for the state has conntrack know flows from their beginning.
  const rules = [ACCEPT_ESTABLISHED, ...policy === "accept" ? [] : drops];
  for (const expressions of rules) batch.addRule({ ...chain, chain: "guard", expressions });
  batch.addChain({
    ...chain,
    name: "forward",
    base: { type: "filter", hook: "forward", priority: 0, policy: "accept" },
  });
  const strangers = [...inputInterface("r1"), ...verdict("drop")];
  for (const expressions of [ACCEPT_ESTABLISHED, strangers]) {
    batch.addRule({ ...chain, chain: "forward", expressions });
  }
  using connection = openNetlink("netfilter");
  batch.commit(connection);
}

/** Equivalent to: chain postrouting { type nat hook postrouting priority 100; oifname WAN masquerade; } */
export function loadMasquerade(wan: string): void {
  const batch = new NftBatch();
  batch.addTable(NAT);
  batch.addChain({
    family: NAT.family,
    table: NAT.name,
    name: "postrouting",
    base: { type: "nat", hook: "postrouting", priority: 100, policy: "accept" },
  });
  batch.addRule({
    family: NAT.family,
    table: NAT.name,
    chain: "postrouting",
    expressions: [...outputInterface(wan), ...masquerade()],
  });
  using connection = openNetlink("netfilter");
  batch.commit(connection);
}

/** Equivalent to: nft delete table inet selftest_nat */
export function removeMasquerade(): void {
  const batch = new NftBatch();
  batch.deleteTable(NAT);
  using connection = openNetlink("netfilter");
  batch.commit(connection);
}
