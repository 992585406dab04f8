/**
 * Takes over the sessions that a worker of another process has described.
 * @module
 */
import type { WorkerContext } from "../../context.ts";
import {
  GIVEN_AMOUNTS,
  GIVEN_SESSION,
  GIVEN_SESSION_WORDS,
  type GivenLink,
  type UdpEstate,
} from "../../handover/estate.ts";
import { ADDRESS_WORDS } from "../../shared/columns.ts";
import { IS_CHILD } from "../table.ts";
import type { UdpUpstream } from "../upstreams/upstreams.ts";
import type { GivenParts } from "./give.ts";

/** A session's tie, and its upstream. */
interface Tie {
  readonly link: GivenLink;
  readonly upstream: UdpUpstream;
  /** The connection of an association, -1 for none. */
  readonly connection: number;
}

const NOBODY = -1;

/** Takes over. Returns the descriptors that nobody has use for: of upstreams that this config has not. */
export function inheritSessions(context: WorkerContext, parts: GivenParts, estate: UdpEstate): number[] {
  const { table, sessions, filter, flows, links } = parts;
  const { tick } = context.clock;
  sessions.inheritSeed(estate);
  const count = estate.sessions.length / GIVEN_SESSION_WORDS;
  const { ties, left } = findTies(parts, estate, count);
  const heirs = new Map<number, number>();
  const slotOf = (slot: number) => heirs.get(slot) ?? NOBODY;
  const slots: number[] = [];
  for (let session = 0; session < count; session++) {
    const row = estate.sessions.subarray(session * GIVEN_SESSION_WORDS, (session + 1) * GIVEN_SESSION_WORDS);
    const tie = ties.get(session);
    const slot = tie === null ? NOBODY : sessions.inherit(row, estate.fds[session], ownerOf(tie));
    slots.push(slot);
    if (slot < 0) {
      left.push(estate.fds[session]);
      continue;
    }
    heirs.set(row[GIVEN_SESSION.slot], slot);
    const [started, up, down] = estate.amounts.subarray(session * GIVEN_AMOUNTS);
    context.ledgers.udp.inherit(slot, { started, up, down });
    if (tie) links.inherit(slot, tie.link, tie.upstream, tie.connection);
  }
  for (let at = 0; at < estate.sessions.length; at += GIVEN_SESSION_WORDS) {
    joinKin(parts, estate.sessions.subarray(at), slotOf);
  }
  for (const [session, name] of estate.names) {
    const bytes = new TextEncoder().encode(name);
    if (slots[session] >= 0) context.ledgers.udp.named(slots[session], bytes, bytes.length);
  }
  for (let at = 0; at < estate.peers.length; at += 1 + ADDRESS_WORDS) {
    const slot = slots[estate.peers[at]];
    if (slot >= 0) filter.sending(slot, estate.peers, at + 1);
  }
  sessions.ways.detours.inherit(estate.detours, slotOf, tick);
  flows.inherit(estate.flows, (slot) => {
    const heir = slotOf(slot);
    return heir < 0 ? undefined : { slot: heir, tag: table.tags[heir] };
  });
  return left;
}

function ownerOf(tie: Tie | undefined): number | undefined {
  return tie !== undefined && tie.link.choice >= 0 ? tie.upstream.number : undefined;
}

/** Finds the ties by number of the session; null: its upstream is not in this config. */
function findTies({ flows }: GivenParts, { links, fds }: UdpEstate, count: number) {
  const ties = new Map<number, Tie | null>();
  const left: number[] = [];
  let connections = count;
  for (const link of links) {
    const connection = link.choice >= 0 ? fds[connections++] : NOBODY;
    const upstream = flows.upstreamNamed(link.upstream, link.choice >= 0);
    ties.set(link.session, upstream === undefined ? null : { link, upstream, connection });
    if (upstream === undefined && connection >= 0) left.push(connection);
  }
  return { ties, left };
}

function joinKin(
  { sessions: { ways } }: GivenParts,
  row: Int32Array,
  slotOf: (slot: number) => number,
): void {
  if ((row[GIVEN_SESSION.traits] & IS_CHILD) === 0) return;
  const child = slotOf(row[GIVEN_SESSION.slot]);
  const parent = slotOf(row[GIVEN_SESSION.parent]);
  const leader = slotOf(row[GIVEN_SESSION.leader]);
  if (child >= 0 && parent >= 0) ways.kin.add(parent, child, leader < 0 ? child : leader);
}
