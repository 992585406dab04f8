/**
 * The way of one packet through the chains at a hook. Pure.
 * @module
 */
import type { IpAddress } from "../../net/ip.ts";
import { formatEndpoint, formatIp } from "../../net/ip.ts";
import type { NftRule } from "../../netlink/nft/rule.ts";
import { type FirewallChain, sees } from "../firewall/chain.ts";
import { rejects } from "../firewall/effects.ts";
import { describeChain } from "../firewall/firewall.ts";
import { describeRule } from "../firewall/judge_chain.ts";
import type { WalkedHook } from "../firewall/packets.ts";
import { walkBaseChain } from "../packet/packet_walk.ts";
import type { Translation } from "../packet/translation.ts";
import { addressAt, applyMark, type FlowPacket, translate } from "./packet.ts";

/** A chain on the packet's way. */
export interface PathStep {
  readonly hook: WalkedHook;
  /** `chain forward of table inet fw4`. */
  readonly chain: string;
  readonly verdict: "accept" | "drop";
  /** Set where it drops the packet and the client is told. */
  readonly refuses: boolean;
  /** Unset where a rule that this program cannot judge, or a limit, may end it in the other way. */
  readonly certain: boolean;
  /** The rule that decides so: `the rule "…"`; null: the chain's policy, or that no rule matches. */
  readonly rule: string | null;
  readonly handle: number | null;
  /** `masquerade`, `destination 192.168.1.9:8080`; null: it translates nothing. */
  readonly translation: string | null;
}

const UNREADABLE = {
  verdict: "accept",
  refuses: false,
  certain: false,
  rule: null,
  handle: null,
  translation: null,
} as const;

/** Surroundings of a passage. */
export interface Passing {
  readonly hook: WalkedHook;
  /** The router's own address where the packet is, for masquerade and redirect. */
  readonly own: (packet: FlowPacket) => IpAddress | undefined;
}

/** Lists the chains at a hook that see a packet, in the order of the kernel. */
export function chainsFor(
  chains: readonly FirewallChain[],
  hook: WalkedHook,
  packet: FlowPacket,
): FirewallChain[] {
  return chains.filter((of) => of.chain.base?.hook === hook && sees(of, packet)).toSorted((a, b) =>
    a.chain.base!.priority - b.chain.base!.priority
  );
}

/** Walks one chain: changes the packet as its rules do. */
export function passChain(of: FirewallChain, packet: FlowPacket, { hook, own }: Passing): PathStep {
  const { chain, table } = of;
  const step = { hook, chain: describeChain(of) };
  if (table === undefined) {
    return { ...step, ...UNREADABLE };
  }
  let certain = true;
  let given: { readonly rule: NftRule; readonly to: Translation } | undefined;
  const result = walkBaseChain(table, chain, packet, {
    visit(rule, { matches, sure, mark, translation }, { surely, assumed }) {
      if (mark === undefined && translation === undefined) return;
      const isMet = matches && assumed;
      if (!sure || !surely) certain = false;
      if (!isMet) return;
      if (mark !== undefined && !applyMark(packet, mark)) certain = false;
      // The first translation of an end stands: conntrack asks no further.
      if (translation !== undefined) given ??= { rule, to: translation };
    },
  });
  if (given !== undefined && !translate(packet, given.to, own(packet))) certain = false;
  const other = result.verdict === "accept" ? result.mayDrop : result.mayPass;
  const by = given?.rule ?? result.by;
  return {
    ...step,
    verdict: result.verdict,
    refuses: by !== undefined && result.verdict === "drop" && rejects(by.expressions),
    certain: certain && !other,
    rule: by === undefined ? null : describeRule(of, by),
    handle: by?.handle === undefined ? null : Number(by.handle),
    translation: given === undefined ? null : describeTranslation(given.to, packet),
  };
}

function describeTranslation({ end, how, unread, port }: Translation, packet: FlowPacket): string {
  if (unread === true) return `the ${end}, to what cannot be read`;
  const address = addressAt(packet, end);
  const text = port === undefined ? formatIp(address) : formatEndpoint({ address, port });
  return how === "given" ? `${end} ${text}` : `${how}, ${end} ${text}`;
}
