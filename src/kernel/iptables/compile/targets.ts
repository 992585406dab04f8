/**
 * What planned rules do, in the words of iptables. Pure.
 *
 * The tables share the work, since each target is valid in one of them alone: `raw` decides and leaves marks, as it is
 * before conntrack; `mangle` gives marked packets to sockets; `filter` answers those that are refused.
 * @module
 */
import { ALIVE_LISTS, ALIVE_SECONDS } from "../../../constants.ts";
import { Marks } from "../../../marks.ts";
import { hex } from "../../../net/hex.ts";
import { type Family, formatIp } from "../../../net/ip.ts";
import type { Statement } from "../../plan/model.ts";
import { chainName } from "./chain_writer.ts";
import { type Match, one } from "./fragment.ts";
import type { IptablesChain } from "./model.ts";

/** The packet's connection is the proxy's. */
export const OURS = "-g TPROXY_OURS";
/** The packet goes to a socket of this machine. */
export const LOCAL = "-g TPROXY_LOCAL";
/** The packet will be refused. */
export const REFUSED = "-g TPROXY_REFUSED";
/** The packet will be dropped, if it is no answer to a flow that others have begun: conntrack knows. */
export const DROPPED = "-g TPROXY_DROPPED";
/** The rest of our chains does not matter for the packet. */
export const RETURN = "-j RETURN";

/** What the targets depend on. */
export interface ActionContext {
  readonly family: Family;
  /** The mark of intercepted packets. */
  readonly mark: number;
  /** Whether the rules must know that a proxy runs: not so where what no listener wants is dropped. */
  readonly watch: boolean;
  /** Whether UDP is intercepted, whose answers only conntrack tells from new flows. */
  readonly udp: boolean;
}

/** A target, and what must hold besides the rule's own matches. */
export interface Action {
  readonly target: string;
  readonly conditions: readonly Match[];
}

/** What a rule does in `raw`. */
export function decide(statements: readonly Statement[], { family, watch, udp }: ActionContext): Action {
  const has = (kind: Statement["kind"]) => statements.some((statement) => statement.kind === kind);
  if (has("tproxy") && has("notrack")) return act(OURS, watch ? [proxyIsAlive(family)] : []);
  if (has("set-mark")) return act(has("notrack") ? OURS : LOCAL);
  if (has("reject")) return act(REFUSED);
  if (has("notrack")) return act("-j CT --notrack");
  const dropped = statements.some((statement) =>
    statement.kind === "verdict" && statement.verdict === "drop"
  );
  if (dropped && udp && mayBeUdp(statements)) return act(DROPPED);
  return act(leave(statements));
}

/** Whether a rule speaks of UDP, or of all. */
export function mayBeUdp(statements: readonly Statement[]): boolean {
  return statements.every((statement) =>
    statement.kind !== "bare-syn" && (statement.kind !== "protocol" || statement.protocols.includes("udp"))
  );
}

/** What a rule does with a marked packet in `mangle`. */
export function deliver(statements: readonly Statement[], { mark }: ActionContext): Action {
  for (const statement of statements) {
    if (statement.kind === "tproxy") {
      const { address, port } = statement.to;
      const bits = `${hex(mark)}/${hex(mark)}`;
      return act(`-j TPROXY --on-port ${port} --on-ip ${formatIp(address)} --tproxy-mark ${bits}`);
    }
    if (statement.kind === "set-mark") return act(LOCAL);
  }
  return act(leave(statements));
}

function act(target: string, conditions: readonly Match[] = []): Action {
  return { target, conditions };
}

/** A verdict or a way; `accept` ends the way through our chains and not that through the table. */
function leave(statements: readonly Statement[]): string {
  for (const statement of statements) {
    if (statement.kind === "goto") return `-g ${chainName(statement.chain)}`;
    if (statement.kind === "verdict" && statement.verdict === "drop") return "-j DROP";
  }
  return RETURN;
}

/** All addresses are one to the list (a mask of zero): `tproxy run` is on it, or nobody. */
function proxyIsAlive(family: Family): Match {
  const mask = family === "ipv4" ? "0.0.0.0" : "::";
  return one(
    "match",
    `-m recent --rcheck --seconds ${ALIVE_SECONDS} --name ${ALIVE_LISTS[family]} --mask ${mask} --rsource`,
  );
}

/** The bit of packets that are refused: the one above the mark, which no routing rule of the LAN matches. */
export function refusedMark(mark: number): string {
  return `${hex(new Marks(mark).refused)}/${hex(new Marks(mark).refused)}`;
}

/** Both bits: packets that are dropped without an answer. */
export function droppedMark(mark: number): string {
  return `${hex(new Marks(mark).dropped)}/${hex(new Marks(mark).dropped)}`;
}

/** The chains that the targets of `raw` lead to. */
export function rawEnds(mark: number): IptablesChain[] {
  const { refused, dropped } = new Marks(mark);
  const set = { text: markWith(mark), reason: "A routing rule delivers what is marked to this machine" };
  return [
    {
      name: "TPROXY_OURS",
      rules: [set, {
        text: "-j CT --notrack",
        reason: "The proxy's own leg has the same addresses and ports",
      }],
      reason: "To the proxy, unseen by conntrack",
    },
    { name: "TPROXY_LOCAL", rules: [set], reason: "To another program, which conntrack sees" },
    {
      name: "TPROXY_REFUSED",
      rules: [{ text: markWith(refused), reason: "REJECT is valid in the table filter alone" }],
      reason: "To be refused when it is forwarded",
    },
    {
      name: "TPROXY_DROPPED",
      rules: [{ text: markWith(dropped), reason: "Conntrack must see it first: it may be an answer" }],
      reason: "To be dropped by mangle",
    },
  ];
}

/** The chain that the targets of `mangle` lead to. */
export function mangleEnds(mark: number): IptablesChain[] {
  return [{
    name: "TPROXY_LOCAL",
    rules: [
      { text: markWith(mark), reason: "A routing rule delivers what is marked to this machine" },
      { text: "-j ACCEPT", reason: "Rules that come after must not change the mark" },
    ],
    reason: "To its socket",
  }];
}

function markWith(bit: number): string {
  return `-j MARK --set-xmark ${hex(bit)}/${hex(bit)}`;
}
