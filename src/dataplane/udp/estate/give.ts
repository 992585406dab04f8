/**
 * Describes a worker's sessions for a process that takes them over.
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
import { copyAddress } from "../../shared/addresses.ts";
import { ADDRESS_WORDS } from "../../shared/columns.ts";
import type { UdpFilter } from "../filter.ts";
import type { UdpFlows } from "../flows/flows.ts";
import type { HeldDatagram } from "../flows/held.ts";
import type { UdpSessions } from "../sessions.ts";
import type { UdpTable } from "../table.ts";
import type { Links } from "../upstreams/links.ts";
import { packWaiting } from "./waiting.ts";

/** Parts that are described. */
export interface GivenParts {
  readonly table: UdpTable;
  readonly sessions: UdpSessions;
  readonly filter: UdpFilter;
  readonly flows: UdpFlows;
  readonly links: Links;
}

/** An estate, and whose it is. */
export interface Given {
  readonly estate: UdpEstate;
  /** The slots of its sessions, and of each the descriptors. */
  readonly slots: readonly number[];
  readonly connections: readonly number[];
}

/**
 * Describes all that can go on elsewhere. A session that waits for its upstream begins anew there, with the
 * datagrams that wait. Changes nothing.
 */
export function giveSessions(
  context: WorkerContext,
  parts: GivenParts,
  waiting: readonly HeldDatagram[],
): Given {
  const { table, sessions, links, flows, filter } = parts;
  const { tick } = context.clock;
  const slots = table.byAge().filter((slot) => links.mayGoOn(slot));
  const ties = slots.flatMap((slot, session): (GivenLink & { readonly fd: number })[] => {
    const link = links.give(slot);
    return link === null ? [] : [{ session, ...link }];
  });
  const connections = ties.filter(({ choice }) => choice >= 0).map(({ fd }) => fd);
  const rows = new Int32Array(slots.length * GIVEN_SESSION_WORDS);
  const amounts = new Float64Array(slots.length * GIVEN_AMOUNTS);
  const names: [number, string][] = [];
  const peers: number[] = [];
  for (const [session, slot] of slots.entries()) {
    writeSession(rows.subarray(session * GIVEN_SESSION_WORDS), slot, context, parts);
    amounts.set(context.ledgers.udp.past(slot), session * GIVEN_AMOUNTS);
    const name = context.ledgers.udp.nameOf(slot);
    if (name !== null) names.push([session, new TextDecoder().decode(name)]);
    if (table.filtered[slot] === 1) filter.give(slot, (words) => peers.push(session, ...words));
  }
  const estate = {
    ...sessions.give(),
    sessions: rows,
    amounts,
    names,
    links: ties.map(({ fd: _, ...link }) => link),
    peers: Int32Array.from(peers),
    detours: sessions.ways.detours.give(tick),
    flows: flows.give(),
    waiting: packWaiting(waiting),
    fds: [...slots.map((slot) => table.fds[slot]), ...connections],
  };
  return { estate, slots, connections };
}

function writeSession(
  row: Int32Array,
  slot: number,
  { clock: { tick }, ledgers: { udp: { columns } } }: WorkerContext,
  { table, sessions }: GivenParts,
): void {
  const { kin } = sessions.ways;
  row[GIVEN_SESSION.slot] = slot;
  row[GIVEN_SESSION.kind] = table.kinds[slot];
  row[GIVEN_SESSION.traits] = table.traits[slot];
  row[GIVEN_SESSION.way] = table.ways[slot];
  row[GIVEN_SESSION.keepsErrors] = table.keepsErrors[slot];
  row[GIVEN_SESSION.filtered] = table.filtered[slot];
  row[GIVEN_SESSION.priority] = table.priorities[slot];
  row[GIVEN_SESSION.tos] = table.tos[slot];
  row[GIVEN_SESSION.bulk] = table.bulk[slot];
  row[GIVEN_SESSION.segmentLimit] = table.segmentLimits[slot];
  row[GIVEN_SESSION.age] = tick - table.ticks[slot];
  row[GIVEN_SESSION.generation] = columns.generation[slot];
  row[GIVEN_SESSION.rule] = columns.rule[slot];
  row[GIVEN_SESSION.parent] = kin.parentOf(slot);
  row[GIVEN_SESSION.leader] = kin.leaderOf(slot);
  const at = slot * ADDRESS_WORDS;
  copyAddress(columns.client, at, row, GIVEN_SESSION.client);
  copyAddress(columns.destination, at, row, GIVEN_SESSION.destination);
  copyAddress(columns.upstream, at, row, GIVEN_SESSION.upstream);
}
