/**
 * Findings of chains that are in the way of intercepted flows. Pure.
 * @module
 */
import { type Finding, notPermitted, warning, works } from "../finding.ts";
import type { FirewallFacts } from "../machine/firewalls.ts";
import type { FirewallChain } from "./chain.ts";
import type { Situation } from "../situation.ts";
import { adviseAccept, describeChain, describeOwner, type Wish } from "./firewall.ts";
import {
  type ChainJudgement,
  describeDecision,
  describePackets,
  judgeChain,
  UNSURE,
  type Walked,
} from "./judge_chain.ts";
import type { WalkedHook } from "./packets.ts";
import { chainsAt } from "./subjects.ts";

/** A hook as its check sees it. */
export interface HookSubject {
  readonly id: string;
  readonly hook: WalkedHook;
  /** `packets that are delivered to the proxy` */
  readonly packets: string;
  /** Tells what is to be accepted, so that a packet passes. */
  wish(walked: Walked, situation: Situation): Wish;
}

/** Lists the chains of filters at a hook: of nf_tables, and of iptables-legacy. */
export function filtersAt(facts: FirewallFacts, hook: WalkedHook): FirewallChain[] {
  return chainsAt(facts, [hook]).filter(({ chain: { base } }) => base?.type !== "nat");
}

/** The finding of a firewall that may not be read; none where nf_tables is not there. */
export function notReadable(id: string, { obstacle }: FirewallFacts): Finding[] {
  if (obstacle?.code !== "EPERM") return [];
  const what = "firewall and installed tables";
  return [notPermitted(id, { what, errno: obstacle.errno, blocks: false })];
}

/** Makes a finding for each chain that is in the way, or one that says that none is. */
export function judgeHook(facts: FirewallFacts, subject: HookSubject, situation: Situation): Finding[] {
  const chains = filtersAt(facts, subject.hook);
  const findings = chains.flatMap((chain) => judge(chain, subject, situation));
  if (findings.some(({ state }) => state !== "works")) return findings;
  const names = chains.map(describeChain).join(", ");
  const what = names === "" ? `no firewall at the ${subject.hook} hook` : `firewall: ${names} accepts`;
  return [works(subject.id, what)];
}

function judge(of: FirewallChain, subject: HookSubject, situation: Situation): Finding[] {
  const id = of.program === "iptables-legacy" ? `legacy-${subject.hook}` : subject.id;
  const what = `firewall: ${describeChain(of)}`;
  const judgement = judgeChain(of, subject.hook, situation);
  if (judgement === undefined) {
    return [warning(id, {
      what,
      blocks: true,
      cause: `It cannot be read: whether it lets ${subject.packets} pass is not known${describeOwner(of)}`,
      remedy: 'Look at it with "nft list ruleset": does it accept them?',
    })];
  }
  const remedy = (walked: readonly Walked[]) =>
    adviseAccept(of, walked.map((one) => subject.wish(one, situation)));
  const say = (verb: string, walked: readonly Walked[], end: string) =>
    `${verb} ${subject.packets} (${describePackets(walked, judgement.tried)}), by ${
      describeDecision(of, walked)
    }${end}${describeOwner(of)}`;
  return findStopped(judgement).map(({ verb, walked, end, blocks }) =>
    warning(id, { what, blocks, cause: say(verb, walked, end), remedy: remedy(walked) })
  );
}

interface Stopped {
  readonly verb: string;
  readonly walked: readonly Walked[];
  readonly end: string;
  readonly blocks: boolean;
}

/** The worst that a chain does: it drops, it may drop, or it drops what is too much. */
function findStopped({ dropped, unsure, limited }: ChainJudgement): Stopped[] {
  if (dropped.length > 0) return [{ verb: "It drops", walked: dropped, end: "", blocks: true }];
  if (unsure.length > 0) return [{ verb: "It may drop", walked: unsure, end: UNSURE, blocks: true }];
  if (limited.length === 0) return [];
  const end = ", once a limit is reached: all clients together have that limit";
  return [{ verb: "It drops", walked: limited, end, blocks: false }];
}
