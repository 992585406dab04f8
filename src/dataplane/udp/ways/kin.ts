/**
 * Kinship of sessions: a client endpoint whose flows go several ways has a session for each; the first is the
 * parent of the others. Few have any, so nothing is kept for those that have none.
 * @module
 */

const NOBODY: readonly number[] = [];

/** The kin of a worker's sessions, by slot. */
export class Kin {
  readonly #parents = new Map<number, number>();
  readonly #children = new Map<number, number[]>();
  /** Of a session that shares its address and port with another: that one. */
  readonly #leaders = new Map<number, number>();

  /** Adds a child; `leader`: the session whose address and port it shares, itself if there is none. */
  add(parent: number, child: number, leader: number): void {
    this.#parents.set(child, parent);
    if (leader !== child) this.#leaders.set(child, leader);
    const children = this.#children.get(parent);
    if (children === undefined) this.#children.set(parent, [child]);
    else children.push(child);
  }

  /** The parent of a session, itself if it has none. */
  parentOf(slot: number): number {
    return this.#parents.get(slot) ?? slot;
  }

  /** The children of a session; the list is its own, and changes. */
  childrenOf(slot: number): readonly number[] {
    return this.#children.get(slot) ?? NOBODY;
  }

  /** The session that speaks for all that have its address and port. */
  leaderOf(slot: number): number {
    return this.#leaders.get(slot) ?? slot;
  }

  /** Forgets a session without children. */
  forget(slot: number): void {
    const parent = this.#parents.get(slot);
    if (parent === undefined) return;
    this.#parents.delete(slot);
    this.#leaders.delete(slot);
    const children = this.#children.get(parent)!;
    children.splice(children.indexOf(slot), 1);
    if (children.length === 0) this.#children.delete(parent);
  }
}
