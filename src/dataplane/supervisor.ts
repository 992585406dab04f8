/**
 * Starts the workers, gives them their orders, and ends them.
 * @module
 */
import { openEventFd, signalEventFd } from "../../ffi/epoll.ts";
import { closeFd } from "../../ffi/sockets/socket.ts";
import type { Admission, Config } from "../config/types.ts";
import type { Logger } from "../log.ts";
import { check } from "../net/error.ts";
import type { Family } from "../net/ip.ts";
import type { PolicyImage } from "../policy/image.ts";
import { adoptLasting, allocateFor, openAll, partsOf, raiseDescriptors, roomOf } from "./groundwork.ts";
import type { EndedFlows } from "./flows/ended_flows.ts";
import type { SessionChanges } from "./flows/session_changes.ts";
import type { GivenConnections } from "./handover/connections.ts";
import type { WorkerEstate } from "./handover/estate.ts";
import type { LastingSockets } from "./handover/sockets.ts";
import type { RouteBoard } from "./routes/route_board.ts";
import { Crashes } from "./seats/crashes.ts";
import { type House, Seat } from "./seats/seat.ts";
import { type Settings, type SettingsConfig, settingsOf, withAddresses } from "./settings.ts";
import {
  type Account,
  Books,
  type Counter,
  type RuleNames,
  type RuleTotals,
  type SessionRow,
} from "./shared/books.ts";
import type { SessionKey } from "./shared/session_key.ts";
import { COUNTER } from "./shared/state.ts";
import { type DemandConfig, demandOf } from "./sizing/demand.ts";
import { capacity } from "./sizing/limits.ts";
import { resumeEarlyDemux, suspendEarlyDemux } from "./sockets/early_demux.ts";
import { closeAsking, closeGroups } from "./sockets/questions.ts";
import type { UpstreamHealth } from "./upstream/health.ts";
import type { UpstreamSettings } from "./upstream/settings.ts";
import type { Sockaddr } from "./upstream/upstream.ts";

/** Bytes of a splice pipe: 64 KiB, the kernel's default. */
const PIPE_SIZE = 65536;

/** Options of a data plane's start. */
export interface DataplaneOptions {
  readonly config: Config;
  /** Their number: what `countWorkers` makes of the config. */
  readonly workers: number;
  /** The families to listen in, if not those of the config. */
  readonly families?: readonly Family[];
  /** The place at which flows are taken: with "forward-path" first packets ask. Default: "early". */
  readonly admission?: Admission;
  /** The rules; null or nothing: there are none. */
  readonly policy?: PolicyImage | null;
  /** The upstreams to begin with. */
  readonly upstreams?: readonly UpstreamSettings[];
  readonly log: Logger;
  /** Sockets that another process has given; the workers await {@linkcode Dataplane.begin}. */
  readonly inherited?: readonly LastingSockets[];
  /** Called when a worker has failed and another takes its place, which knows none of its flows. */
  readonly replaced?: () => void;
  /** The module of a worker: `worker.ts`, or what it was bundled to. */
  readonly workerUrl: URL;
}

/** Things that a running data plane may be given anew. */
export interface NextGeneration {
  /** Those of {@linkcode Dataplane.settingsOf}. */
  readonly settings: Settings;
  readonly policy: PolicyImage | null;
}

/** A running data plane. */
export interface Dataplane {
  readonly workers: number;
  /** The router's routing, as workers are told of it. */
  readonly routes: RouteBoard;
  /** Live connections that it allows now. */
  readonly maxConnections: number;
  /** Live UDP sessions that it allows now. */
  readonly maxUdpSessions: number;
  /** RLIMIT_NOFILE as it is now. */
  readonly descriptors: number;
  /** Live connections. */
  live(): number;
  /** Live UDP sessions. */
  udpLive(): number;
  /** Counts the turns of each worker's loop so far; -1: it has ended. */
  turns(): number[];
  /** Makes a worker's loop turn, if it sleeps. */
  wake(worker: number): void;
  counters(): Record<Counter, number>;
  /** Returns all that is counted. */
  account(): Account;
  /** Reads the live sessions, without waking a worker. */
  sessions(): Iterable<SessionRow>;
  /** Looks from now on at the live sessions that come and go, as often as the caller wants. */
  changes(): SessionChanges<SessionRow>;
  /** Counts the flows that it has seen, by rule and by upstream. */
  hits(): ReturnType<Books["hits"]>;
  /** Flows that have ended. */
  readonly endedFlows: EndedFlows;
  /** Lists what sessions have come to, by the rule that had decided. */
  totals(): readonly RuleTotals[];
  /** Returns the settings of a config, cut to what this process has room for. */
  settingsOf(config: SettingsConfig & DemandConfig, upstreams?: readonly UpstreamSettings[]): Settings;
  /** Puts settings and rules into force. Resolves when every worker has taken them; live sessions go on. */
  adopt(next: NextGeneration): Promise<void>;
  /** States of upstreams. */
  readonly upstreams: UpstreamHealth;
  /** Tells the workers the addresses of the upstream that has this place in {@linkcode upstreams}. */
  tellAddresses(place: number, list: readonly Sockaddr[]): void;
  /** Ends sessions with a reset, where they still live. */
  close(sessions: readonly SessionKey[]): void;
  /** The sockets of each worker that another process may be given. */
  readonly sockets: readonly LastingSockets[];
  /** Lists the rules of the generations of live sessions, the last one in force. */
  ruleNames(): readonly RuleNames[];
  /** Takes no question any more, for a handover. Resolves when nobody waits to be accepted. */
  quiet(): Promise<void>;
  /** Reads nothing any more that another process is to read. Resolves with what each worker gives. */
  give(): Promise<readonly WorkerEstate[]>;
  /** Ends a handover: reads on, or knows no longer what it has given. */
  endGiving(step: "take-back" | "let-go"): void;
  /** Takes over, with inherited sockets, what the workers of another process have given. */
  inherit(estates: readonly WorkerEstate[]): Promise<void>;
  /** Begins, with inherited sockets, to read them. Resolves when all workers do. */
  begin(): Promise<void>;
  /**
   * Parts, after {@linkcode endGiving}, with connections of a worker, some at a time: has it leave them
   * alone, and go on with them or know them no longer.
   */
  readonly parting: readonly {
    park(): Promise<GivenConnections>;
    unpark(): void;
    part(): Promise<void>;
  }[];
  /** Live connections for which there is memory: of another process it takes no more. */
  readonly room: number;
  /** Takes over connections that a worker of another process has parted with. */
  take(worker: number, connections: GivenConnections): void;
  /** Accepts nothing new; live connections go on. {@linkcode ended} resolves when the last has ended. */
  drain(): void;
  /** Resets what is left and ends. */
  stop(): void;
  /**
   * Resolves when all workers have ended as they were told; rejects when one has failed, and failed again in
   * a new thread.
   */
  readonly ended: Promise<void>;
}

/** Raises the descriptor limit, listens, starts the workers. Throws OperationError if one of it fails. */
export async function startDataplane(options: DataplaneOptions): Promise<Dataplane> {
  const { config, workers } = options;
  const machine = { descriptors: raiseDescriptors(options.log), workers };
  const { protocols, families } = config.intercept;
  const roomFor = (wanted: DemandConfig) =>
    capacity({ ...machine, ...demandOf({ ...wanted, intercept: { protocols } }) });
  const room = roomFor(config);
  const opening = {
    families: options.families ?? families,
    workers,
    asking: options.admission === "forward-path",
  };
  const { inherited } = options;
  const lasting = inherited === undefined ? openAll(config, opening) : inherited.map(adoptLasting);
  const sockets = lasting.map(({ own }) => own);
  let asking = lasting.flatMap(({ asking }) => asking ?? []);
  const memory = allocateFor(config, machine);
  const restoreEarlyDemux = opening.asking ? suspendEarlyDemux(options.log) : () => {};
  if (!opening.asking) resumeEarlyDemux(); // one that asked may have been killed
  const books = new Books(memory);
  const firstGeneration = {
    settings: settingsOf(config, room, options.upstreams),
    policy: options.policy ?? null,
  };
  const house: House = {
    url: options.workerUrl,
    log: options.log,
    books,
    crashes: new Crashes(),
    replaced: options.replaced ?? (() => {}),
    adoption: { number: 1, ...firstGeneration, totals: books.begin(ruleNames(firstGeneration, 1)) },
  };
  const wakeFds = sockets.map(() => check(openEventFd(), "create", "eventfd"));
  const seats = sockets.map((own, index) => {
    const pipes = { limit: room.pipesPerWorker, size: PIPE_SIZE };
    const parts = {
      index,
      memory,
      wakeFd: wakeFds[index],
      pipes,
      ...partsOf(config, own, asking[index] ?? null),
    };
    return new Seat(parts, house, inherited !== undefined);
  });
  let draining = false;
  const end = (kind: "drain" | "stop") => {
    draining ||= kind === "drain";
    for (const seat of seats) seat.end(kind);
  };
  // One that has failed for good ends the others; while they drain they end anyway, in their own time.
  for (const seat of seats) seat.ended.catch(() => draining || end("stop"));
  const ended = Promise.allSettled(seats.map((seat) => seat.ended)).then((results) => {
    // Emptied: a later wake() must not write to descriptors that have become somebody else's.
    for (const fd of wakeFds.splice(0)) closeFd(fd);
    for (const sockets of asking.splice(0)) closeAsking(sockets);
    restoreEarlyDemux();
    for (const result of results) if (result.status === "rejected") throw result.reason;
  });
  ended.catch(() => {}); // told to whoever waits for it
  let adopting = Promise.resolve();
  const first = (seat: Seat) => inherited === undefined ? seat.ready : seat.prepared;
  await Promise.race([Promise.all(seats.map(first)), ended]);
  return {
    workers,
    get maxConnections() {
      return house.adoption.settings.maxConnections;
    },
    get maxUdpSessions() {
      return house.adoption.settings.udp.maxSessions;
    },
    descriptors: machine.descriptors,
    live: () => books.state.live,
    udpLive: () => books.state.udpLive,
    turns: () => seats.map(({ isOver }, index) => isOver ? -1 : books.state.row(index)[COUNTER.turns]),
    wake: (worker) => void (worker < wakeFds.length && signalEventFd(wakeFds[worker])),
    routes: books.state.routes,
    counters: () => books.counters(),
    account: () => books.account(),
    sessions: () => books.sessions(),
    changes: () => books.changes(),
    hits: () => books.hits(),
    endedFlows: books.ended,
    totals: () => books.totals(),
    settingsOf: (wanted, upstreams) => settingsOf(wanted, roomFor(wanted), upstreams),
    // One after another: totals of a generation are closed when no worker can begin a session under it any
    // more.
    adopt(next) {
      const adopted = adopting.then(() => adopt(next, house, seats));
      adopting = adopted.catch(() => {}); // told to the caller
      return adopted;
    },
    upstreams: books.upstreams,
    tellAddresses(place, list) {
      const { adoption } = house;
      house.adoption = { ...adoption, settings: withAddresses(adoption.settings, { place, list }) };
      for (const seat of seats) seat.tellAddresses({ kind: "addresses", place, list });
    },
    close(sessions) {
      for (const [index, seat] of seats.entries()) {
        const own = sessions.filter(({ worker }) => worker === index);
        if (own.length > 0) seat.close(own);
      }
    },
    sockets: lasting,
    ruleNames: () => books.ruleNames(),
    async quiet() {
      await Promise.all(seats.map((seat) => seat.quiet()));
    },
    give: () => Promise.all(seats.map((seat) => seat.giveEstate())),
    endGiving(step) {
      for (const seat of seats) seat.endGiving(step);
      if (step === "let-go") asking = asking.map(closeGroups); // workers have left them when they were quiet
    },
    async inherit(estates) {
      await Promise.race([Promise.all(seats.map((seat, index) => seat.inherit(estates[index]))), ended]);
    },
    async begin() {
      for (const seat of seats) seat.begin();
      await Promise.race([Promise.all(seats.map((seat) => seat.ready)), ended]);
    },
    parting: seats,
    room: roomOf(memory),
    take: (worker, connections) => seats[worker].take(connections),
    drain: () => end("drain"),
    stop: () => end("stop"),
    ended,
  };
}

async function adopt(next: NextGeneration, house: House, seats: Seat[]): Promise<void> {
  const before = house.adoption;
  const number = before.number + 1;
  house.adoption = { number, ...next, totals: house.books.begin(ruleNames(next, number)) };
  try {
    await Promise.all(seats.map((seat) => seat.adopt()));
  } catch (error) {
    // It cannot be posted, so nobody has taken it: a new thread must not be given it either.
    house.adoption = { ...before, number };
    throw error;
  }
}

/**
 * Names the rules of a generation. It has the number of its adoption: the same policy may come into force
 * twice.
 */
function ruleNames(
  { policy, settings }: NextGeneration,
  generation: number,
): RuleNames {
  const upstreams = settings.upstreams.map(({ name }) => name);
  if (policy === null) return { generation, rules: [], otherwise: "default", upstreams };
  const { routes, otherwise } = policy;
  return {
    generation,
    rules: routes.map(({ name }) => name),
    otherwise: otherwise.name,
    ways: [otherwise, ...routes],
    upstreams,
  };
}
