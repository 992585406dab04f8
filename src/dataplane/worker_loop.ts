/**
 * A worker's life: puts its services together and turns their loop until the main thread says stop.
 * @module
 */
import { collectGarbage } from "../../ffi/pages.ts";
import { errnoCode } from "../net/errno.ts";
import { Injector } from "./asking/injector.ts";
import { HeldSyns } from "./asking/held_syns.ts";
import { Questions } from "./asking/questions.ts";
import { makeContext, type WorkerContext } from "./context.ts";
import { Decider } from "./decider.ts";
import type { WorkerEstate } from "./handover/estate.ts";
import { Giving, type Leaver } from "./handover/giving.ts";
import type { Service } from "./loop/service.ts";
import { obey } from "./obey.ts";
import { OrderBox } from "./order_box.ts";
import type { Order, WorkerMessage, WorkerStart } from "./orders.ts";
import { RouteBook } from "./routes/route_book.ts";
import { COUNTER } from "./shared/state.ts";
import { WaitingRoom } from "./shared/waiting_room.ts";
import { Arrivals } from "./sockets/arrival.ts";
import { OwnAddresses } from "./sockets/own_addresses.ts";
import { TcpAcceptor } from "./tcp/accept.ts";
import { TcpQuestions } from "./asking/tcp_questions.ts";
import { Parting } from "./tcp/estate/parting.ts";
import { TcpSessions } from "./tcp/sessions.ts";
import { UdpService } from "./udp/service.ts";
import { DirectUpstream } from "./upstream/direct.ts";
import { Teller } from "./watching/datagrams/teller.ts";
import { DatagramWatching } from "./watching/datagrams/watching.ts";
import { NameJudge } from "./watching/name_judge.ts";
import { Resender } from "./watching/resender.ts";
import { SignedSockets } from "./watching/signed_socket.ts";
import { Watching } from "./watching/watching.ts";
import { UpstreamTable } from "./upstream/table.ts";
import type { WorkerLogger } from "./worker_log.ts";

/** Ties of a worker besides its parts. */
export interface WorkerTies {
  readonly log: WorkerLogger;
  readonly post: (message: WorkerMessage) => void;
}

/** The end of a worker. */
export interface WorkerEnd {
  /** Reason of its failure; null: it has ended as it was told. */
  readonly failure: string | null;
}

/** A part of a worker that asks the kernel, by sockets that are there from the start on. */
interface NetlinkUser {
  start(): number;
  close(): void;
}

/** The parts of a worker that was put together. */
interface Parts {
  readonly context: WorkerContext;
  readonly tcp: TcpSessions;
  readonly own: OwnAddresses | null;
  readonly netlink: readonly NetlinkUser[];
  readonly box: OrderBox;
  readonly giving: Giving;
  readonly obey: (order: Order) => void;
  /** The order to end that it was given. */
  readonly told: { end: "drain" | "stop" | null };
}

/**
 * A worker from its first message on. It ends when it is told to stop, or to drain and nothing is left to
 * wait for. One that fails leaves its listeners, and its sessions' descriptors in the ledgers, to whoever
 * comes after it.
 */
export class WorkerLife {
  readonly #parts: Parts;
  readonly #post: WorkerTies["post"];
  #started = false;
  #isReady = false;
  /** Another process reads the sockets until {@linkcode begin}. */
  #awaits: boolean;

  constructor(start: WorkerStart, ties: WorkerTies) {
    this.#parts = assemble(start, ties);
    this.#post = ties.post;
    this.#awaits = start.awaits === true;
    if (this.#awaits) this.#post({ kind: "prepared" });
  }

  /** Takes over, before its begin, what a worker of another process has given. */
  inherit(estate: WorkerEstate): void {
    this.#guard(() => {
      const end = this.#start();
      if (end !== null) throw new Error(end.failure!);
      this.#parts.giving.inherit(estate);
      return null;
    });
    this.#post({ kind: "inherited" });
  }

  /** Reads the sockets from now on. */
  begin(): void {
    this.#awaits = false;
  }

  /** Turns the loop until an order waits (null), or the worker has ended. Throws what a part of it throws. */
  run(): WorkerEnd | null {
    return this.#guard(() => this.#run());
  }

  /** Obeys an order that was delivered. Throws what a part of it throws. */
  take(order: Order): void {
    this.#guard(() => {
      this.#parts.box.take();
      this.#parts.obey(order);
      return null;
    });
  }

  #run(): WorkerEnd | null {
    const { context: { loop, counters, shared }, box, told } = this.#parts;
    if (this.#awaits) return told.end === null ? null : this.#close(); // another process reads the sockets
    const failed = this.#start();
    if (failed !== null) return failed;
    if (!this.#isReady) {
      this.#isReady = true;
      this.#post({ kind: "ready" });
      collectGarbage(); // of the start: 2 MB, for good in a worker that has little to do
    }
    while (!box.waits) {
      if (told.end !== null) loop.drain();
      if (told.end === "stop" || (told.end === "drain" && loop.idle())) {
        return this.#close();
      }
      const returned = loop.turn();
      if (returned < 0) return { failure: `epoll_wait: ${errnoCode(-returned)}` };
      counters[COUNTER.turns]++;
      const spent = loop.clock.sinceUpdate;
      counters[COUNTER.busyMs] += spent;
      shared.noteTurn(spent);
    }
    return null;
  }

  #close(): WorkerEnd {
    const { context: { loop }, own, netlink } = this.#parts;
    loop.close();
    own?.close();
    for (const user of netlink) user.close();
    return { failure: null };
  }

  /** Puts all descriptors into the loop; once. */
  #start(): WorkerEnd | null {
    if (this.#started) return null;
    const { context: { loop }, netlink } = this.#parts;
    for (const user of netlink) {
      const opened = user.start();
      if (opened < 0) return { failure: `netlink: ${errnoCode(-opened)}` };
    }
    const returned = loop.start();
    if (returned < 0) return { failure: `epoll: ${errnoCode(-returned)}` };
    this.#started = true;
    return null;
  }

  #guard(work: () => WorkerEnd | null): WorkerEnd | null {
    try {
      const end = work();
      if (end !== null && end.failure !== null) abandon(this.#parts);
      return end;
    } catch (error) {
      abandon(this.#parts);
      throw error;
    }
  }
}

function assemble({ parts, adoption }: WorkerStart, { log, post }: WorkerTies): Parts {
  const { index, memory, upstreamMark } = parts;
  const { settings, policy, totals } = adoption;
  const context = makeContext({ index, memory, totals, log, settings, policy });
  const { loop } = context;
  const own = upstreamMark === 0 ? null : new OwnAddresses(context.clock);
  const router = own === null ? null : { mark: upstreamMark, own };
  const asking = parts.asking === null ? null : {
    room: new WaitingRoom(new Int32Array(memory.waitingRoom)),
    injector: new Injector(parts.asking),
    routes: new RouteBook(context),
    teller: new Teller(),
  };
  const arrivals = new Arrivals();
  const routes = asking === null ? null : asking.routes;
  const syns = asking === null ? null : new HeldSyns(asking.injector);
  const tcp = new TcpSessions(context, {
    pipes: parts.pipes,
    upstreams: new UpstreamTable(context, new DirectUpstream(context, router, routes), router),
    syns,
    decider: new Decider(context, own),
  });
  const workers = memory.ledgers.length;
  const asked = syns === null ? null : new TcpQuestions(context, { sessions: tcp, syns, workers });
  const udp = parts.udp === null ? null : new UdpService(context, { sockets: parts.udp, router, asking });
  const box = new OrderBox(context, parts.wakeFd);
  const told: Parts["told"] = { end: null };
  const acceptor = new TcpAcceptor(context, {
    listeners: parts.listeners,
    sessions: tcp,
    asked,
    own,
    arrivals,
  });
  const askers: (Leaver & Service)[] = [];
  let watching: Watching | null = null;
  if (parts.asking !== null && asking !== null && asked !== null) {
    askers.push(new Questions(context, { log: parts.asking.log, tcp: asked, udp }));
    const { watch } = parts.asking;
    const signed = new SignedSockets(watch.raw);
    watching = new Watching(context, watch, new Resender(signed, asking.routes), new NameJudge(context));
    askers.push(watching, new DatagramWatching(context, watch, { ...asking, signed }));
  }
  const giving = new Giving(context, {
    askers,
    acceptor,
    asked,
    udp,
    watching,
    quiet: () => post({ kind: "quiet" }),
    given: (estate) => post({ kind: "given", estate }),
    parting: new Parting(context, tcp),
    parked: (connections) => post({ kind: "parked", connections }),
    parted: () => post({ kind: "parted" }),
  });
  const obedience = {
    context,
    tcp,
    udp,
    giving,
    setLogLevel: log.setLevel,
    adopted: (number: number) => post({ kind: "adopted", number }),
    end: (kind: "drain" | "stop") => void (told.end = kind),
  };
  const services = [acceptor, ...askers, tcp, ...udp === null ? [] : [udp], giving, box];
  for (const service of services) loop.add(service);
  const netlink = asking === null ? [arrivals] : [arrivals, asking.routes, asking.teller];
  return { context, tcp, own, netlink, box, giving, obey: (order) => obey(order, obedience), told };
}

/** Closes what nobody else knows of. Each part may be what has failed. */
function abandon({ context, tcp, own, netlink }: Parts): void {
  const closes = [
    () => tcp.abandon(),
    () => context.loop.abandon(),
    () => own?.close(),
    ...netlink.map((user) => () => user.close()),
  ];
  for (const close of closes) {
    try {
      close();
    } catch {
      // The first failure is the one that is told.
    }
  }
}
