/**
 * Changes on the router, as far as a proxy is concerned. Pure.
 * @module
 */

/** A sum of changes. */
export class NetworkChange {
  /** Interfaces or default routes: what an install wants may be something else. */
  plan = false;
  /** An interface has got or lost its cable: routes by it may lead nowhere now, of which no route tells. */
  carrier = false;
  /** Our rules and routes may have gone, or others' may come before them. */
  rules = false;
  /** Somebody else has made our table anew: it is an install, and not ours. */
  remade = false;
  /** An uninstall has begun. */
  uninstalled = false;
  /** Workers have pinned ways of what they dial. */
  pins = false;
  /** The rules of others that filter packets. */
  firewall = false;
  /** The program that has done it, where the kernel tells. */
  by: string | undefined = undefined;
  /** A transaction has changed our table; its end names the program. */
  unnamed = false;
  #isSure = false;

  /** Names the program; `sure`: it has changed what is ours, and others are named no more. */
  name(program: string, sure: boolean): void {
    if (this.#isSure && !sure) return;
    this.by = program;
    this.#isSure = sure;
  }

  /** Tells whether there is any. */
  get isAny(): boolean {
    return this.plan || this.isUrgent;
  }

  /** Tells whether it must be looked at within a second. */
  get isUrgent(): boolean {
    return this.rules || this.remade || this.uninstalled || this.firewall || this.pins || this.carrier;
  }

  /** Everything may have changed. */
  all(): void {
    this.plan = this.rules = this.firewall = true;
  }
}
