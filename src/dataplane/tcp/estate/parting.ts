/**
 * A worker's parting with connections whose bytes go both ways, or one: another process is told of some of
 * them at a time, and has them, or comes to nothing.
 * @module
 */
import type { WorkerContext } from "../../context.ts";
import { type GivenConnections, NO_CONNECTIONS } from "../../handover/connections.ts";
import type { Session } from "../session.ts";
import type { TcpSessions } from "../sessions.ts";
import { describeConnections } from "./give.ts";

/** Connections at a time: each is still for as long as all of them take. */
const AT_A_TIME = 250;

/** See the module. */
export class Parting {
  readonly #context: WorkerContext;
  readonly #sessions: TcpSessions;
  #parked: readonly Session[] = [];

  constructor(context: WorkerContext, sessions: TcpSessions) {
    this.#context = context;
    this.#sessions = sessions;
  }

  /** Leaves some alone from now on, and describes them; none: none can go on elsewhere. */
  park(): GivenConnections {
    this.#parked = this.#sessions.open(AT_A_TIME);
    if (this.#parked.length === 0) return NO_CONNECTIONS;
    const given = describeConnections(this.#context, this.#parked);
    for (const session of this.#parked) this.#sessions.park(session);
    return given;
  }

  /** Goes on with them: the other process has come to nothing. */
  unpark(): void {
    for (const session of this.#take()) this.#sessions.unpark(session);
  }

  /** Knows them no longer: the other process has them. */
  part(): void {
    for (const session of this.#take()) this.#sessions.forget(session);
  }

  #take(): readonly Session[] {
    const parked = this.#parked;
    this.#parked = [];
    return parked;
  }
}
