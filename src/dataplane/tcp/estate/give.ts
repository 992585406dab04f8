/**
 * Describes connections for a process that takes them over.
 * @module
 */
import type { WorkerContext } from "../../context.ts";
import {
  GIVEN_CONNECTION,
  GIVEN_CONNECTION_WORDS,
  GIVEN_WAY,
  type GivenConnections,
  WAY_FLAGS,
} from "../../handover/connections.ts";
import { GIVEN_AMOUNTS } from "../../handover/estate.ts";
import { copyAddress } from "../../shared/addresses.ts";
import { ADDRESS_WORDS } from "../../shared/columns.ts";
import { joinBytes } from "../../../net/bytes.ts";
import type { Direction, Session } from "../session.ts";

/** Describes sessions that are parked. Changes nothing. */
export function describeConnections(
  context: WorkerContext,
  sessions: readonly Session[],
): GivenConnections {
  const { tcp } = context.ledgers;
  const rows = new Int32Array(sessions.length * GIVEN_CONNECTION_WORDS);
  const amounts = new Float64Array(sessions.length * GIVEN_AMOUNTS);
  const names: [number, string][] = [];
  for (const [connection, session] of sessions.entries()) {
    writeRow(rows.subarray(connection * GIVEN_CONNECTION_WORDS), session, context);
    amounts.set(tcp.past(session.slot), connection * GIVEN_AMOUNTS);
    const name = tcp.nameOf(session.slot);
    if (name !== null) names.push([connection, new TextDecoder().decode(name)]);
  }
  return {
    rows,
    amounts,
    names,
    unsent: joinBytes(sessions.flatMap(({ up, down }) => [unsentOf(up), unsentOf(down)])),
    fds: sessions.flatMap(({ clientFd, upstreamFd, up, down }) => [
      clientFd,
      upstreamFd,
      ...endsOf(up),
      ...endsOf(down),
    ]),
  };
}

function writeRow(
  row: Int32Array,
  session: Session,
  { clock: { tick }, ledgers: { tcp: { columns } } }: WorkerContext,
): void {
  const { slot } = session;
  row[GIVEN_CONNECTION.stage] = columns.stage[slot];
  row[GIVEN_CONNECTION.age] = tick - session.activeTick;
  row[GIVEN_CONNECTION.generation] = columns.generation[slot];
  row[GIVEN_CONNECTION.rule] = columns.rule[slot];
  row[GIVEN_CONNECTION.carrier] = columns.carrier[slot];
  row[GIVEN_CONNECTION.connectMs] = columns.connectMs[slot];
  row[GIVEN_CONNECTION.keptAlive] = Number(session.keptAlive);
  row[GIVEN_CONNECTION.askedOften] = Number(session.askedOften);
  writeWay(row.subarray(GIVEN_CONNECTION.up), session.up);
  writeWay(row.subarray(GIVEN_CONNECTION.down), session.down);
  const at = slot * ADDRESS_WORDS;
  copyAddress(columns.client, at, row, GIVEN_CONNECTION.client);
  copyAddress(columns.destination, at, row, GIVEN_CONNECTION.destination);
  copyAddress(columns.upstream, at, row, GIVEN_CONNECTION.upstream);
}

function writeWay(words: Int32Array, way: Direction): void {
  words[GIVEN_WAY.flags] = WAY_FLAGS.reduce((bits, flag, bit) => bits | (Number(way[flag]) << bit), 0);
  words[GIVEN_WAY.smallReads] = way.smallReads;
  words[GIVEN_WAY.inPipe] = way.inPipe;
  words[GIVEN_WAY.pipeSize] = way.pipe === null ? 0 : way.pipe.size;
  words[GIVEN_WAY.unsent] = unsentOf(way).length;
}

function unsentOf({ buffer, offset, length }: Direction): Uint8Array {
  return buffer === null ? new Uint8Array(0) : buffer.subarray(offset, offset + length);
}

function endsOf({ pipe, inPipe }: Direction): number[] {
  return pipe === null || inPipe === 0 ? [] : [pipe.readEnd, pipe.writeEnd];
}
