/**
 * Destinations that a session reaches in another way than its others: through another session's socket, or at
 * another address, to which the router has translated them. Answers from there are given their first address
 * back. Nothing is kept for all others.
 * @module
 */
import { AF_INET } from "../../../../ffi/consts.ts";
import { copyAddress, type Place, sameAddress } from "../../shared/addresses.ts";
import { ADDRESS_WORDS } from "../../shared/columns.ts";
import { TICK_MS } from "../../loop/wheel.ts";
import { EndpointMap } from "../endpoint_map.ts";
import { SlotLinks, SlotList } from "../slot_list.ts";

/** Of one session. */
const MAX_DETOURS = 4096;
/** Of all sessions: as many as the kernel knows flows (LIVE_OPTIONS.limits). */
const MOST = 65_536;
/** A detour that was not used for so long is not in the kernel's set of known flows: it asks again. */
const FORGOTTEN_TICKS = 10_000 / TICK_MS;
const INITIAL = 16;
/** No session leads there any more. */
const ENDED = -1;

/** Words of a detour that is given to another worker: see {@linkcode Detours.give}. */
export const DETOUR_WORDS = 4 + 2 * ADDRESS_WORDS;
const ORIGINAL = 4;
const TARGET = ORIGINAL + ADDRESS_WORDS;

/** The detours of a worker's sessions. */
export class Detours {
  /** Addresses that the client knows, and those that are reached: struct sockaddr, ADDRESS_WORDS each. */
  #originals = new Int32Array(0);
  #targets = new Int32Array(0);
  /** The session through which each is reached, and the one whose address and port that has. */
  #uplinks = new Int32Array(0);
  #leaders = new Int32Array(0);
  #ticks = new Int32Array(0);
  /** The client's session. */
  #sessions = new Int32Array(0);
  /** From a client's session and the original. */
  readonly #byOriginal = new EndpointMap({ initial: INITIAL });
  /** From a leader and the target. */
  readonly #byTarget = new EndpointMap({ initial: INITIAL });
  readonly #ofSession = new Map<number, SlotList>();
  readonly #links = new SlotLinks();
  readonly #ageLinks = new SlotLinks();
  /** All, in order of use. */
  readonly #byAge = new SlotList(this.#ageLinks);
  readonly #free: number[] = [];

  /** The number of detours. */
  get size(): number {
    return this.#byOriginal.size;
  }

  /**
   * Returns the session by which the destination at `at` in `words` is reached for a session's client, and
   * writes the address at which over it; the session itself: there is no detour; -1: none leads there.
   */
  follow(session: number, words: Int32Array, at: number, tick: number): number {
    const detour = this.#byOriginal.find(words, at, session);
    if (detour < 0) return session;
    this.#use(detour, tick);
    overwrite(words, at, this.#targets, detour * ADDRESS_WORDS);
    return this.#uplinks[detour];
  }

  /**
   * Writes over the address at `at` in `words`, from which an answer came, the one that the client knows.
   * `tick`: now, if it is passed on.
   */
  restore(leader: number, words: Int32Array, at: number, tick?: number): void {
    const detour = this.#byTarget.find(words, at, leader);
    if (detour < 0) return;
    overwrite(words, at, this.#originals, detour * ADDRESS_WORDS);
    if (tick !== undefined) this.#use(detour, tick); // the kernel goes on to know a flow that is answered
  }

  /** The session by which a destination is reached as a detour, -1 for none; see {@linkcode follow}. */
  uplinkOf(session: number, words: Int32Array, at: number): number {
    const detour = this.#byOriginal.find(words, at, session);
    return detour < 0 ? ENDED : this.#uplinks[detour];
  }

  /** Tells whether a session has a detour for a destination, even one that leads nowhere now. */
  has(session: number, words: Int32Array, at: number): boolean {
    return this.#byOriginal.find(words, at, session) >= 0;
  }

  /** Tells whether answers from a target to a leader would be those of another original. */
  isTaken(leader: number, original: Place, target: Place): boolean {
    const detour = this.#byTarget.find(target.words, target.at, leader);
    return detour >= 0 && !sameAddress(this.#originals, detour * ADDRESS_WORDS, original.words, original.at);
  }

  /**
   * Leads a session's destination by an uplink to a target from now on. False: there are too many.
   */
  set(
    session: number,
    uplink: { readonly slot: number; readonly leader: number },
    original: Place,
    target: Place,
    tick: number,
  ): boolean {
    let detour = this.#byOriginal.find(original.words, original.at, session);
    if (detour < 0) {
      detour = this.#place(session, tick);
      if (detour < 0) return false;
      copyAddress(original.words, original.at, this.#originals, detour * ADDRESS_WORDS);
      this.#byOriginal.set(original.words, original.at, session, detour);
    } else {
      this.#forgetTarget(detour);
    }
    copyAddress(target.words, target.at, this.#targets, detour * ADDRESS_WORDS);
    this.#uplinks[detour] = uplink.slot;
    this.#leaders[detour] = uplink.leader;
    this.#use(detour, tick);
    this.#byTarget.set(target.words, target.at, uplink.leader, detour);
    return true;
  }

  /** Ends a destination's detour, if it has one. */
  remove(session: number, words: Int32Array, at: number): void {
    const detour = this.#byOriginal.find(words, at, session);
    if (detour >= 0) this.#remove(this.#ofSession.get(session)!, session, detour);
  }

  /** Forgets all of a session. */
  closing(session: number): void {
    const list = this.#ofSession.get(session);
    if (list === undefined) return;
    while (list.first >= 0) this.#remove(list, session, list.first);
    this.#ofSession.delete(session);
  }

  /** An uplink of a session ends: its destinations are led nowhere until the router is asked again. */
  losing(session: number, uplink: number): void {
    const list = this.#ofSession.get(session);
    if (list === undefined) return;
    for (let detour = list.first; detour >= 0; detour = this.#links.next[detour]) {
      if (this.#uplinks[detour] !== uplink) continue;
      this.#forgetTarget(detour);
      this.#uplinks[detour] = ENDED;
    }
  }

  /**
   * Lists all, the oldest first: session, uplink, leader, the ticks since its last use, original and target.
   */
  give(tick: number): Int32Array {
    const rows = new Int32Array(this.#byAge.size * DETOUR_WORDS);
    let row = 0;
    for (let detour = this.#byAge.first; detour >= 0; detour = this.#ageLinks.next[detour]) {
      rows[row] = this.#sessions[detour];
      rows[row + 1] = this.#uplinks[detour];
      rows[row + 2] = this.#leaders[detour];
      rows[row + 3] = tick - this.#ticks[detour];
      copyAddress(this.#originals, detour * ADDRESS_WORDS, rows, row + ORIGINAL);
      copyAddress(this.#targets, detour * ADDRESS_WORDS, rows, row + TARGET);
      row += DETOUR_WORDS;
    }
    return rows;
  }

  /** Takes over what another has given; `slotOf` tells a session's slot here, negative for none. */
  inherit(rows: Int32Array, slotOf: (slot: number) => number, tick: number): void {
    for (let row = 0; row + DETOUR_WORDS <= rows.length; row += DETOUR_WORDS) {
      const session = slotOf(rows[row]);
      if (session < 0) continue;
      const [slot, leader] = [slotOf(rows[row + 1]), slotOf(rows[row + 2])];
      const isEnded = rows[row + 1] === ENDED || slot < 0 || leader < 0;
      const uplink = isEnded ? { slot: session, leader: session } : { slot, leader };
      const original = { words: rows, at: row + ORIGINAL };
      if (!this.set(session, uplink, original, { words: rows, at: row + TARGET }, tick - rows[row + 3])) {
        continue;
      }
      if (!isEnded) continue;
      const detour = this.#byOriginal.find(rows, row + ORIGINAL, session);
      this.#forgetTarget(detour);
      this.#uplinks[detour] = ENDED;
    }
  }

  #use(detour: number, tick: number): void {
    if (this.#ticks[detour] === tick) return;
    this.#ticks[detour] = tick;
    this.#byAge.touch(detour);
  }

  #place(session: number, tick: number): number {
    let list = this.#ofSession.get(session);
    if (list === undefined) this.#ofSession.set(session, list = new SlotList(this.#links));
    if (list.size >= MAX_DETOURS) {
      const first = list.first;
      if (tick - this.#ticks[first] < FORGOTTEN_TICKS) {
        list.touch(first); // another may be older
        return -1;
      }
      this.#remove(list, session, first);
    } else if (this.#byAge.size >= MOST) {
      const oldest = this.#byAge.first;
      if (tick - this.#ticks[oldest] < FORGOTTEN_TICKS) return -1;
      const other = this.#sessions[oldest];
      this.#remove(this.#ofSession.get(other)!, other, oldest);
    }
    const detour = this.#free.pop() ?? this.#grow();
    list.append(detour);
    this.#byAge.append(detour);
    this.#ticks[detour] = tick;
    this.#sessions[detour] = session;
    return detour;
  }

  #remove(list: SlotList, session: number, detour: number): void {
    this.#forgetTarget(detour);
    this.#byOriginal.delete(this.#originals, detour * ADDRESS_WORDS, session);
    list.remove(detour);
    this.#byAge.remove(detour);
    this.#free.push(detour);
  }

  #forgetTarget(detour: number): void {
    const at = detour * ADDRESS_WORDS;
    const leader = this.#leaders[detour];
    if (this.#uplinks[detour] === ENDED || this.#byTarget.find(this.#targets, at, leader) !== detour) return;
    this.#byTarget.delete(this.#targets, at, leader);
  }

  #grow(): number {
    const before = this.#uplinks.length;
    const size = Math.max(INITIAL, before * 2);
    const grown = (column: Int32Array<ArrayBuffer>, words: number): Int32Array<ArrayBuffer> => {
      const larger = new Int32Array(size * words);
      larger.set(column);
      return larger;
    };
    this.#originals = grown(this.#originals, ADDRESS_WORDS);
    this.#targets = grown(this.#targets, ADDRESS_WORDS);
    this.#uplinks = grown(this.#uplinks, 1);
    this.#leaders = grown(this.#leaders, 1);
    this.#ticks = grown(this.#ticks, 1);
    this.#sessions = grown(this.#sessions, 1);
    this.#links.grow(size);
    this.#ageLinks.grow(size);
    for (let detour = size - 1; detour > before; detour--) this.#free.push(detour);
    return before;
  }
}

/** Writes an address over another of its family, and nothing behind it. */
function overwrite(words: Int32Array, at: number, from: Int32Array, place: number): void {
  words[at] = from[place];
  const ipv4 = (from[place] & 0xffff) === AF_INET;
  const first = ipv4 ? 1 : 2;
  for (let word = first; word < (ipv4 ? 2 : 6); word++) words[at + word] = from[place + word];
}
