/**
 * Judgement of a chain: does it let the packets of an intercepted flow pass? Pure.
 * @module
 */
import type { Family } from "../../net/ip.ts";
import type { NftRule } from "../../netlink/nft/rule.ts";
import { type FirewallChain, sees } from "./chain.ts";
import { formatRule } from "../packet/rule_text.ts";
import { walkBaseChain, type WalkResult } from "../packet/packet_walk.ts";
import type { Situation } from "../situation.ts";
import { type FlowPacket, listPackets, type WalkedHook } from "./packets.ts";

/** A packet and its end. */
export interface Walked extends FlowPacket {
  readonly result: WalkResult;
}

/** The ends of all packets that come to a chain. */
export interface ChainJudgement {
  /** All that were tried. */
  readonly tried: readonly FlowPacket[];
  /** Those that it drops. */
  readonly dropped: readonly Walked[];
  /** Those that it may drop: what would let them pass cannot be judged. */
  readonly unsure: readonly Walked[];
  /** Those that it drops once a limit is reached. */
  readonly limited: readonly Walked[];
}

/** Walks all packets of its hook; undefined where the chain cannot be read. */
export function judgeChain(
  of: FirewallChain,
  hook: WalkedHook,
  situation: Situation,
): ChainJudgement | undefined {
  const { chain, table } = of;
  if (table === undefined) return undefined;
  const tried = situation.families.flatMap((family) => listPackets(hook, family, situation))
    .filter(({ packet }) => sees(of, packet));
  const walked = tried.map((packet) => ({ ...packet, result: walkBaseChain(table, chain, packet.packet) }));
  const stopped = walked.filter(({ result }) => result.verdict === "drop");
  const limited = walked.filter(({ result }) => result.verdict === "accept")
    .map((packet) => ({
      ...packet,
      result: walkBaseChain(table, chain, packet.packet, { limits: "exceeded" }),
    })).filter(({ result }) => result.verdict === "drop");
  return {
    tried,
    dropped: stopped.filter(({ result }) => !result.mayPass),
    unsure: stopped.filter(({ result }) => result.mayPass),
    limited,
  };
}

/** Words behind what stops those that are `unsure`. */
export const UNSURE = ", unless a rule accepts them that this program cannot judge";

/** Writes `tcp from clients on r0 (port 22, 80); udp from clients on r0 over ipv6`. */
export function describePackets(packets: readonly FlowPacket[], tried: readonly FlowPacket[]): string {
  const texts = [...new Set(packets.map(({ text }) => text))];
  return texts.map((text) => {
    const [some, all] = [packets, tried].map((list) => list.filter((packet) => packet.text === text));
    return text + describePorts(portsOf(some), portsOf(all)) +
      describeFamilies(seenFamilies(some), seenFamilies(tried));
  }).join("; ");
}

function portsOf(packets: readonly FlowPacket[]): number[] {
  const ports = packets.flatMap(({ packet }) => packet.destinationPort ?? packet.sourcePort ?? []);
  return [...new Set(ports)];
}

function seenFamilies(packets: readonly FlowPacket[]): Family[] {
  return [...new Set(packets.map(({ packet }) => packet.family))];
}

function describePorts(some: readonly number[], all: readonly number[]): string {
  return some.length === all.length ? "" : ` (port ${some.join(", ")})`;
}

function describeFamilies(some: readonly Family[], all: readonly Family[]): string {
  return some.length === all.length ? "" : ` over ${some.join(", ")}`;
}

/** Writes `its policy`, or `the rule "tcp dport 22 drop" of chain guests`. */
export function describeDecision(of: FirewallChain, walked: readonly Walked[]): string {
  const rules = [...new Set(walked.map(({ result }) => result.by))];
  return rules.map((rule) => rule === undefined ? "its policy" : describeRule(of, rule)).join(", ");
}

/** Writes `the rule "-p tcp --dport 22 -j DROP" of chain GUESTS`. */
export function describeRule({ chain, program, table }: FirewallChain, rule: NftRule): string {
  const tongue = program === "nft" ? "nft" : "iptables";
  const text = formatRule(rule.expressions, { tongue, findSet: (name) => table?.findSet(name) });
  return `the rule "${text}"${rule.chain === chain.name ? "" : ` of chain ${rule.chain}`}`;
}
