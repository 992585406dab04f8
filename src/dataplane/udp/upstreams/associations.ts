/**
 * The life of associations with SOCKS5 proxies. Datagrams wait until there is one; they are refused where
 * there can be none, and for a while after that. Nothing ever goes another way.
 *
 * ```
 * idle ─► dialling ─► greeting ─► ready ─► up
 *   ▲ the next datagram, later and later     │ the connection has ended
 *   └──────────── failed ◄───────────────────┘
 * ```
 * @module
 */
import {
  EAGAIN,
  ECONNREFUSED,
  ECONNRESET,
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  ETIMEDOUT,
} from "../../../../ffi/consts.ts";
import { portOf, setPort } from "../../../../ffi/sockets/sockaddr.ts";
import { closeFd, receive, send } from "../../../../ffi/sockets/socket.ts";
import { takeSocketError } from "../../../../ffi/sockets/sockopt.ts";
import type { WorkerContext } from "../../context.ts";
import type { Service } from "../../loop/service.ts";
import { ticks, TimerWheel } from "../../loop/wheel.ts";
import { COUNTER } from "../../shared/state.ts";
import { keepAlive } from "../../sockets/transparent.ts";
import { connectFrom } from "../../upstream/direct.ts";
import { MOST_ANSWER, POLICY, TARGET, UPSTREAM } from "../../upstream/greetings/greeting.ts";
import { hear } from "../../upstream/greetings/hear.ts";
import { relayAddress } from "../../upstream/greetings/socks5_udp.ts";
import type { GivenLink } from "../../handover/estate.ts";
import type { Arrival, HeldBytes, HeldDatagram, HeldQueue } from "../flows/held.ts";
import type { UdpTable } from "../table.ts";
import { Association, DIALLING, GREETING, IDLE, READY, type SocksProtocol, UP } from "./association.ts";
import { openToRelay } from "./socket.ts";
import type { UdpUpstream } from "./upstreams.ts";

/** Marks the events of connections: the key's other bits are the slot. */
const CONNECTION = 1 << 27;
/** One that has lived for so long has not failed: the next one is dialled at once. */
const SOUND_TICKS = ticks(1000);
/** The first wait after a failure; each further one doubles it, up to the longest. */
const RETRY_TICKS = ticks(1000);
const MAX_RETRY_TICKS = ticks(30_000);

/** Reads of what a proxy says when nothing is left to say; one that says more has its own idea of SOCKS5. */
const MOST_READS = 8;

/** Parts of the associations. */
export interface AssociationParts {
  readonly table: UdpTable;
  /** Takes the events, and gives those of connections to {@linkcode Associations.event}. */
  readonly service: Service;
  readonly held: HeldBytes;
  /** SO_MARK of the sockets, 0 for none. */
  readonly mark: number;
  /** Tells the clients of datagrams that they came to nothing. */
  readonly refuse: (queue: HeldQueue) => void;
}

/** The associations of a worker. */
export class Associations {
  readonly #context: WorkerContext;
  readonly #parts: AssociationParts;
  readonly #bySlot: (Association | undefined)[] = [];
  readonly #ready: Association[] = [];
  readonly #wheel: TimerWheel<Association>;
  readonly #scratch = new Uint8Array(MOST_ANSWER);
  readonly #due = (association: Association): void => this.#isDue(association);

  constructor(context: WorkerContext, parts: AssociationParts) {
    this.#context = context;
    this.#parts = parts;
    this.#wheel = new TimerWheel(context.clock.tick);
  }

  /** The association of a session that is new. */
  open(
    session: { readonly slot: number; readonly tag: number },
    upstream: UdpUpstream,
    protocol: SocksProtocol,
  ): Association {
    const association = new Association(session, upstream, protocol, this.#parts.held);
    this.#bySlot[session.slot] = association;
    return association;
  }

  /** Has a datagram wait until its association is up; false: it is to be refused. */
  hold(association: Association, arrival: Arrival): boolean {
    if (association.state === IDLE && !this.#begin(association)) return false;
    if (!association.queue.add(arrival)) this.#context.counters[COUNTER.udpDropped]++;
    return true;
  }

  /** Tells whether an event is a connection's. */
  static owns(key: number): boolean {
    return (key & CONNECTION) !== 0;
  }

  /** An event of a connection. */
  event(key: number, tag: number, bits: number): void {
    const association = this.#bySlot[key & ~CONNECTION];
    // An event of a connection before this one at worst looks for what is not there.
    if (association === undefined || association.tag !== tag || association.fd < 0) return;
    switch (association.state) {
      case DIALLING:
        if ((bits & (EPOLLERR | EPOLLHUP)) !== 0) {
          this.#failed(association, takeSocketError(association.fd) || ECONNRESET, UPSTREAM);
        } else if ((bits & EPOLLOUT) !== 0) {
          association.state = GREETING;
          association.greet();
          this.#talk(association);
        }
        break;
      case GREETING:
        this.#talk(association);
        break;
      default:
        this.#listen(association);
    }
  }

  /** The end of a turn. Gives `release` the queues that may go on. */
  turn(release: (queue: HeldQueue) => void): void {
    this.#wheel.advance(this.#context.clock.tick, this.#due);
    for (let i = 0; i < this.#ready.length; i++) {
      const association = this.#ready[i];
      if (association.state !== READY) continue;
      association.state = UP;
      release(association.queue);
    }
    this.#ready.length = 0;
  }

  /** Milliseconds until it needs a turn, -1 for ever. */
  timeout(): number {
    const { clock } = this.#context;
    const next = this.#wheel.ticksToNext();
    return next < 0 ? -1 : clock.millisecondsTo(clock.tick + next);
  }

  /** Describes the association of a session for another process. */
  give(slot: number): { readonly choice: number; readonly fd: number } {
    const { choice, fd } = this.#bySlot[slot]!;
    return { choice, fd };
  }

  /** Has an association stand that another process has made: `fd` is its connection. */
  inherit(slot: number, { choice, relay }: Pick<GivenLink, "choice" | "relay">, fd: number): void {
    const association = this.#bySlot[slot]!;
    const { addresses } = association.upstream.settings;
    association.choice = Math.max(0, Math.min(choice, addresses.length - 1));
    association.relay.set(relay);
    association.fd = fd;
    association.state = UP;
    association.deadline = this.#context.clock.tick;
    association.upstream.dialled(1);
    this.#context.ledgers.udp.client(slot, fd);
    this.watchAgain(slot);
  }

  /** Watches the connection of an association, which nobody watches. 0 or -errno. */
  watchAgain(slot: number): number {
    const { fd, tag } = this.#bySlot[slot]!;
    const events = EPOLLIN | EPOLLRDHUP | EPOLLET;
    return this.#context.loop.watch(this.#parts.service, fd, events, slot | CONNECTION, tag);
  }

  /** Takes what waits for associations that are not up. */
  forsake(): HeldDatagram[] {
    return this.#bySlot.flatMap((association) => association?.queue.take() ?? []);
  }

  /** Its session is about to be closed. */
  closing(slot: number): void {
    const association = this.#bySlot[slot];
    if (association === undefined) return;
    this.#bySlot[slot] = undefined;
    association.queue.clear();
    this.#disconnect(association);
  }

  /** Dials, unless it is too soon after a failure. False: there is no hope. */
  #begin(association: Association): boolean {
    const { clock, settings } = this.#context;
    if (clock.tick < association.retryTick) return false;
    association.deadline = clock.tick + settings.connectTicks;
    return this.#dial(association, 0);
  }

  /** Dials the first address from number `choice` on that can be dialled. False: it has failed. */
  #dial(association: Association, choice: number): boolean {
    const { clock, loop, ledgers } = this.#context;
    const { addresses } = association.upstream.settings;
    const { slot, tag } = association;
    let returned = -ECONNREFUSED;
    for (let i = choice; i < addresses.length; i++) {
      association.choice = i;
      returned = connectFrom(addresses[i], null, false, this.#parts.mark);
      if (returned < 0) continue;
      association.fd = returned;
      association.upstream.dialled(1);
      ledgers.udp.client(slot, returned); // a worker that fails leaves it to be closed
      association.state = DIALLING;
      const left = (association.deadline - clock.tick) / (addresses.length - i);
      this.#wheel.schedule(association, clock.tick + Math.max(1, Math.floor(left)));
      const events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
      const watched = loop.watch(this.#parts.service, returned, events, slot | CONNECTION, tag);
      if (watched >= 0) return true;
      returned = watched;
      this.#hangUp(association);
    }
    this.#giveUp(association, -returned, UPSTREAM);
    return false;
  }

  #talk(association: Association): void {
    const { fd, greeting } = association;
    while (!greeting.done) {
      const { output } = greeting;
      const returned = output.length > 0
        ? send(fd, output, output.length)
        : hear(fd, greeting, this.#scratch);
      if (returned === -EAGAIN) return;
      if (returned < 0) return this.#failed(association, -returned, greeting.blame || UPSTREAM);
      if (output.length > 0) greeting.sent(returned);
    }
    this.#stands(association);
  }

  /** The proxy has said where it relays. */
  #stands(association: Association): void {
    const { greeting, proxy, slot, tag, udpAddress } = association;
    const relay = new Uint8Array(association.relay.buffer);
    relayAddress(greeting.bound, proxy, relay);
    if (udpAddress !== null) {
      relay.set(udpAddress);
      setPort(relay, portOf(greeting.bound));
    }
    const fd = openToRelay(relay, this.#parts.mark);
    if (fd < 0) return this.#failed(association, -fd, UPSTREAM);
    this.#context.ledgers.udp.upstream(slot, fd, association.relay, 0);
    const watched = this.#context.loop.watch(this.#parts.service, fd, EPOLLIN | EPOLLET, slot, tag);
    if (watched < 0) return this.#failed(association, -watched, UPSTREAM);
    keepAlive(association.fd);
    association.upstream.worked();
    this.#wheel.remove(association);
    association.deadline = this.#context.clock.tick;
    association.state = READY;
    this.#ready.push(association);
    this.#listen(association);
  }

  /** Nothing is said any more: all that matters of the connection is its end. */
  #listen(association: Association): void {
    let returned = 1;
    for (let i = 0; i < MOST_READS && returned > 0; i++) {
      returned = receive(association.fd, this.#scratch, this.#scratch.length);
    }
    if (returned !== -EAGAIN) this.#lost(association, returned >= 0 ? ECONNRESET : -returned);
  }

  #isDue(association: Association): void {
    this.#failed(association, ETIMEDOUT, UPSTREAM);
  }

  /** The dial has failed, or the talk after it. Another address is tried if it may do better. */
  #failed(association: Association, errno: number, blame: number): void {
    const { choice, upstream } = association;
    this.#hangUp(association);
    const isLast = choice + 1 >= upstream.settings.addresses.length;
    if (isLast || blame === TARGET || blame === POLICY) return this.#giveUp(association, errno, blame);
    this.#dial(association, choice + 1);
  }

  #giveUp(association: Association, errno: number, blame: number): void {
    association.upstream.failed(errno, blame, association.greeting.refusal);
    this.#waitLonger(association);
    this.#parts.refuse(association.queue);
  }

  /** The association is over: the next datagram makes another. */
  #lost(association: Association, errno: number): void {
    const age = this.#context.clock.tick - association.deadline;
    this.#hangUp(association);
    if (age < SOUND_TICKS) {
      association.upstream.failed(errno, UPSTREAM, "");
      this.#waitLonger(association);
    } else association.failures = 0;
    this.#parts.refuse(association.queue);
  }

  #waitLonger(association: Association): void {
    const wait = Math.min(RETRY_TICKS << Math.min(association.failures++, 10), MAX_RETRY_TICKS);
    association.retryTick = this.#context.clock.tick + wait;
  }

  /** Closes both sockets. */
  #hangUp(association: Association): void {
    const { slot } = association;
    const relayed = this.#parts.table.fds[slot];
    this.#context.ledgers.udp.upstream(slot, -1, null, 0);
    if (relayed >= 0) closeFd(relayed);
    this.#disconnect(association);
  }

  #disconnect(association: Association): void {
    const { fd, slot } = association;
    this.#wheel.remove(association);
    association.state = IDLE;
    this.#context.ledgers.udp.client(slot, association.fd = -1);
    if (fd < 0) return;
    closeFd(fd);
    association.upstream.dialled(-1);
  }
}
