/**
 * Ways of client endpoints: by which session's socket, and at which address, each of a client's destinations
 * is reached, as the router has answered. Most clients have one way for all; for them nothing is kept but its
 * number.
 * @module
 */
import type { Answer } from "../../asking/answer.ts";
import { type Place, sameAddress } from "../../shared/addresses.ts";
import { HAS_DETOURS, IS_CHILD, MAPS_BACK, SHARES, type UdpTable } from "../table.ts";
import { Detours } from "./detours.ts";
import { Kin } from "./kin.ts";

/** The destination of a client's session is led nowhere. */
export const NOWHERE = -1;

/** Opens a session for another way of a client. */
export interface WayOpener {
  /** The new session of the client of `parent`, for the destination at `at` in `words`; negative: none. */
  openChild(parent: number, words: Int32Array, at: number, answer: Answer): number;
}

/** The ways of a worker's sessions. */
export class Ways {
  readonly kin: Kin = new Kin();
  readonly detours: Detours = new Detours();
  readonly #table: UdpTable;
  readonly #opener: WayOpener;

  constructor(table: UdpTable, opener: WayOpener) {
    this.#table = table;
    this.#opener = opener;
  }

  /**
   * Returns the session by which a session's client reaches the destination at `at` in `words`, and writes
   * over it where it is reached; or NOWHERE.
   */
  follow(session: number, words: Int32Array, at: number, tick: number): number {
    if ((this.#table.traits[session] & HAS_DETOURS) === 0) return session;
    const uplink = this.detours.follow(session, words, at, tick);
    if (uplink >= 0 && uplink !== session) this.#table.touch(uplink, tick);
    return uplink;
  }

  /**
   * Takes heed of an answer, whose way is `way`, about a destination of a session, and follows it. `isFirst`:
   * the session was opened for it.
   */
  heed(
    session: number,
    original: Place,
    { answer, way }: { readonly answer: Answer; readonly way: number },
    { tick, isFirst }: { readonly tick: number; readonly isFirst: boolean },
  ): number {
    const table = this.#table;
    const { words, at } = original;
    const target = { words: answer.words, at: answer.destinationAt };
    const isPlain = sameAddress(words, at, target.words, target.at);
    const isUsual = way === table.ways[session] && !this.isTaken(session, original, target);
    if (isPlain && isUsual) {
      if ((table.traits[session] & HAS_DETOURS) !== 0) this.detours.remove(session, words, at);
      return session;
    }
    // Whether the client talks to the target itself, too, is not known; only of a fresh session it is.
    const uplink = isUsual && isFirst ? session : this.#uplinkFor(session, original, target, way, answer);
    if (uplink < 0) return NOWHERE;
    const leader = this.leaderOf(uplink);
    if (!this.detours.set(session, { slot: uplink, leader }, original, target, tick)) return NOWHERE;
    table.traits[session] |= HAS_DETOURS;
    if (!isPlain) {
      table.traits[uplink] |= MAPS_BACK;
      table.traits[leader] |= MAPS_BACK;
    }
    return this.follow(session, words, at, tick);
  }

  /** Tells whether the router has answered about a destination that is reached in another way. */
  knows(session: number, words: Int32Array, at: number): boolean {
    return (this.#table.traits[session] & HAS_DETOURS) !== 0 && this.detours.has(session, words, at);
  }

  /** The session that speaks for all with the address and port of this one. */
  leaderOf(slot: number): number {
    return (this.#table.traits[slot] & SHARES) === 0 ? slot : this.kin.leaderOf(slot);
  }

  /**
   * Writes over the address at `at` in `words`, from which a session was answered, the client's one. `tick`:
   * now, if the answer is passed on.
   */
  restore(slot: number, words: Int32Array, at: number, tick?: number): void {
    if ((this.#table.traits[slot] & (MAPS_BACK | SHARES)) === 0) return;
    this.detours.restore(this.leaderOf(slot), words, at, tick);
  }

  /** Forgets a session, which has no children any more. */
  closing(slot: number): void {
    const { traits } = this.#table;
    if ((traits[slot] & HAS_DETOURS) !== 0) this.detours.closing(slot);
    if ((traits[slot] & IS_CHILD) === 0) return;
    this.detours.losing(this.kin.parentOf(slot), slot);
    this.kin.forget(slot);
  }

  /** Tells whether answers from the target to a session would be taken for those of another original. */
  isTaken(session: number, original: Place, target: Place): boolean {
    return (this.#table.traits[session] & (MAPS_BACK | SHARES)) !== 0 &&
      this.detours.isTaken(this.leaderOf(session), original, target);
  }

  /** The session for a detour: that which it has, a sibling's, or a new one. */
  #uplinkFor(session: number, original: Place, target: Place, way: number, answer: Answer): number {
    const { ways } = this.#table;
    const present = this.detours.uplinkOf(session, original.words, original.at);
    if (present >= 0 && ways[present] === way && !this.isTaken(present, original, target)) return present;
    for (const child of this.kin.childrenOf(session)) {
      if (ways[child] === way && !this.isTaken(child, original, target)) return child;
    }
    return this.#opener.openChild(session, original.words, original.at, answer);
  }
}
