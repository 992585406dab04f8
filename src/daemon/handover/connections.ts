/**
 * Live connections on their way to a successor that runs already, some at a time. A process has them alone at
 * any time: the one before touches none that it has told of, the successor none that it has not been given.
 * @module
 */
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { countGiven, type GivenConnections } from "../../dataplane/handover/connections.ts";
import { translateConnections } from "../../dataplane/handover/rules.ts";
import type { RuleNames } from "../../dataplane/shared/books.ts";
import type { Dataplane } from "../../dataplane/supervisor.ts";
import { OperationError } from "../../net/error.ts";
import type { HandoverChannel, Parcel } from "./channel.ts";

/** The word of a successor that takes no more; to one of another version it is a failure as any other. */
const NO_ROOM = "no room";
/** Milliseconds until it is looked again whether some that were dialled have come about. */
const LOOK_MS = 100;

/**
 * Gives all connections, and those that come about yet, until none is left. Returns their number. Throws an
 * OperationError where the successor has gone: those that it has not been given go on here.
 */
export async function giveConnections(channel: HandoverChannel, dataplane: Dataplane): Promise<number> {
  let given = 0;
  await channel.receive("ready");
  for (;;) {
    let some = 0;
    for (let worker = 0; worker < dataplane.workers; worker++) {
      some += await giveSome(channel, dataplane, worker);
    }
    given += some;
    if (dataplane.live() === 0) return given;
    if (some === 0) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function giveSome(channel: HandoverChannel, dataplane: Dataplane, worker: number): Promise<number> {
  const part = dataplane.parting[worker];
  const connections = await part.park();
  const count = countGiven(connections);
  if (count === 0) return 0;
  try {
    channel.send("connections", pack(worker, connections));
    await channel.receive("taken");
  } catch (error) {
    // One that waits has touched none, and one that ends does not know them any more.
    if (!channel.isClosed) part.unpark();
    throw error;
  }
  await part.part();
  channel.send("yours");
  return count;
}

/** Takes connections over until the one before has gone. `theirs`: its rules. Returns their number. */
export async function takeConnections(
  channel: HandoverChannel,
  dataplane: Dataplane,
  theirs: readonly RuleNames[],
): Promise<number> {
  say(channel, "ready");
  for (let taken = 0;;) {
    const parcel = await receiveSome(channel, Math.max(dataplane.live(), taken), dataplane.room);
    if (parcel === undefined) return taken;
    say(channel, "taken");
    await channel.receive("yours").catch(() => {}); // it has been killed: they are here alone
    if (channel.isClosed) {
      parcel.fds.forEach(closeFd);
      return taken;
    }
    const { worker, connections } = unpack(parcel);
    translateConnections(connections, theirs, dataplane.ruleNames().at(-1)!);
    dataplane.take(worker, connections);
    taken += countGiven(connections);
  }
}

/**
 * Receives some, where there is room for them besides as many as live here. undefined: the one before has
 * gone, or keeps what it has, since this process may have fewer descriptors.
 */
async function receiveSome(
  channel: HandoverChannel,
  live: number,
  room: number,
): Promise<Parcel | undefined> {
  try {
    const parcel = await channel.receive("connections");
    if (live + countGiven(unpack(parcel).connections) <= room) return parcel;
    parcel.fds.forEach(closeFd);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
  }
  say(channel, NO_ROOM);
  return undefined;
}

/** Says something; that nobody is there any more is found where an answer is waited for. */
function say(channel: HandoverChannel, kind: string): void {
  try {
    channel.send(kind);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
  }
}

function pack(
  worker: number,
  { rows, amounts, names, unsent, fds }: GivenConnections,
): Partial<Omit<Parcel, "kind">> {
  return { text: JSON.stringify({ worker, names }), columns: [rows, amounts, unsent], fds };
}

function unpack({ text, columns, fds }: Parcel): { worker: number; connections: GivenConnections } {
  const { worker, names } = JSON.parse(text) as Pick<GivenConnections, "names"> & { worker: number };
  const [rows, amounts, unsent] = columns as [Int32Array, Float64Array, Uint8Array];
  return { worker, connections: { rows, amounts, names, unsent, fds } };
}
