/**
 * Answers the questions of TCP: a SYN that asks begins a session without a client's connection, which it is
 * given when the client is accepted.
 * @module
 */
import { AF_INET, ECONNREFUSED, EMFILE, ENFILE } from "../../../ffi/consts.ts";
import { VERDICT_TTL } from "../../constants.ts";
import type { Asked } from "./asked.ts";
import { type HeldSyns, MOST_HELD_SYNS } from "./held_syns.ts";
import type { Question } from "./question.ts";
import type { WorkerContext } from "../context.ts";
import { KEY_WORDS } from "../flows/flow_places.ts";
import { RecentSyns } from "../flows/recent_syns.ts";
import { Throttle } from "../loop/throttle.ts";
import { ticks } from "../loop/wheel.ts";
import { ADDRESS_WORDS } from "../shared/columns.ts";
import { CLOSED, EVICTED, OVER_LIMIT } from "../shared/endings.ts";
import { COUNTER } from "../shared/state.ts";
import { CLIENT, type Session } from "../tcp/session.ts";
import { NEW, WAITING } from "../tcp/stage_numbers.ts";
import type { TcpSessions } from "../tcp/sessions.ts";

/** A worker never holds fewer SYNs than this, if there is room for so many sessions. */
const LEAST_HELD_SYNS = 16;

/**
 * Ticks that a SYN may wait to be read, where a worker has too much to do, while the one before it, of the
 * same connection, is answered.
 */
const RECENT_TICKS = ticks(8000);

/** Parts that are worked with. */
export interface TcpQuestionsParts {
  readonly sessions: TcpSessions;
  readonly syns: HeldSyns;
  /** The number of workers, each of which has its share of what may be pending. */
  readonly workers: number;
}

/** A worker's answers to questions of TCP. */
export class TcpQuestions implements Asked {
  readonly #context: WorkerContext;
  readonly #parts: TcpQuestionsParts;
  readonly #key = new Int32Array(KEY_WORDS);
  readonly #recent = new RecentSyns(RECENT_TICKS);
  readonly #evictions: Throttle;

  constructor(context: WorkerContext, parts: TcpQuestionsParts) {
    this.#context = context;
    this.#parts = parts;
    this.#evictions = new Throttle(context.clock);
  }

  /** Clients that it has dialled for, and that were not accepted yet. */
  get pending(): number {
    return this.#parts.syns.size;
  }

  /** Ends the sessions of all these clients. */
  giveUp(): void {
    const { syns, sessions } = this.#parts;
    while (syns.size > 0) sessions.end(sessions.at(syns.slotOf(syns.victim())), true, CLOSED);
  }

  /** Dials for a SYN; one that is repeated says that its client is still there. */
  asked(question: Question): void {
    const { syns } = this.#parts;
    const place = syns.find(question.addresses);
    if (place >= 0) return this.#repeated(place, question);
    const { counters, clock } = this.#context;
    // Dialled once more, its server would have a connection that nobody uses.
    const isAnswered = this.#recent.has(question.addresses, question.sequence, clock.tick);
    if (isAnswered) counters[COUNTER.questionsRepeated]++;
    else this.#begin(question);
  }

  /**
   * Gives a client's connection, which has been accepted, to the session that waits for it. False: none does.
   * `addresses`: of the client and of where it wanted to go.
   */
  join(client: number, addresses: Int32Array): boolean {
    const { syns, sessions } = this.#parts;
    normalize(addresses, this.#key);
    const place = syns.find(this.#key);
    if (place < 0) return false;
    const session = sessions.at(syns.slotOf(place));
    if (session.stage !== WAITING) return false;
    this.#recent.add(this.#key, syns.sequenceOf(place), this.#context.clock.tick);
    sessions.join(session, client);
    return true;
  }

  #repeated(place: number, question: Question): void {
    const { syns, sessions } = this.#parts;
    const { counters, clock, shared } = this.#context;
    counters[COUNTER.questionsRepeated]++;
    syns.repeat(place, question, clock.tick);
    const session = sessions.at(syns.slotOf(place));
    // The client has not heard the answer, or the listener not the SYN.
    if (session.stage === WAITING) return void syns.tell(place, VERDICT_TTL.accept);
    // Forwarded, this SYN would go as the router's ways and rules are now.
    if (session.changes !== shared.routes.changes) this.#dial(session, question);
  }

  #begin(question: Question): void {
    const { sessions, syns } = this.#parts;
    const { counters, clock } = this.#context;
    this.#makeRoom(question);
    if (!sessions.admit(question.addresses, CLIENT)) return void counters[COUNTER.questionsDropped]++;
    const session = sessions.begin(-1, question.client);
    session.destination.set(question.destination);
    session.syn = syns.hold(question, session.slot, clock.tick);
    if (session.excess > 0) {
      sessions.tellClient(session, ECONNREFUSED);
      return sessions.refuse(session, 0, OVER_LIMIT);
    }
    session.inputInterface = question.answer.iif;
    session.hardwareHigh = question.answer.hardwareHigh;
    session.hardwareLow = question.answer.hardwareLow;
    if (sessions.decide(session)) this.#dial(session, question);
  }

  #dial(session: Session, question: Question): void {
    const { sessions } = this.#parts;
    session.answer = question.answer;
    session.changes = this.#context.shared.routes.changes;
    const dialled = session.stage === NEW ? sessions.dial(session) : sessions.dialAnew(session);
    // A dial that comes when the name is known goes by it too.
    const isNeeded = session.upstream.needsAnswer || (session.undecided && !session.ahead);
    if (dialled >= 0 && isNeeded) session.keepAnswer();
    else session.answer = null;
    // The client, who was told nothing, sends its SYN again.
    if (dialled === -EMFILE || dialled === -ENFILE) sessions.makeRoom();
  }

  /**
   * A client with as many pending SYNs as it may have connections loses its oldest one: anybody may have sent
   * them. So does the client with most, where there are as many as there may be.
   */
  #makeRoom({ addresses }: Question): void {
    const { syns, workers } = this.#parts;
    const { maxConnections, perClient } = this.#context.settings;
    const mostOfOne = Math.max(LEAST_HELD_SYNS, perClient);
    const own = perClient === 0 ? -1 : syns.surplusOf(addresses, mostOfOne);
    if (own >= 0) this.#evict(own, mostOfOne);
    const share = Math.floor(maxConnections / (2 * workers));
    const most = Math.min(MOST_HELD_SYNS, Math.max(LEAST_HELD_SYNS, share));
    while (syns.size >= most) this.#evict(syns.victim(), most);
  }

  #evict(place: number, most: number): void {
    const { sessions, syns } = this.#parts;
    sessions.end(sessions.at(syns.slotOf(place)), true, EVICTED);
    this.#context.counters[COUNTER.questionsDropped]++;
    if (!this.#evictions.allows()) return;
    this.#context.log.warn("too many connections are dialled at once: the oldest give way", { most });
  }
}

/** Leaves out what is not part of an address: accept(2) writes no more than the kernel has. */
function normalize(addresses: Int32Array, key: Int32Array): void {
  const isIpv4 = (addresses[CLIENT] & 0xffff) === AF_INET;
  for (let word = 0; word < KEY_WORDS; word++) {
    const place = word & (ADDRESS_WORDS - 1);
    const counts = isIpv4 ? place < 2 : place !== 1 && place < 6;
    key[word] = counts ? addresses[word] : 0;
  }
}
