/**
 * A worker's part in a handover: it leaves its sockets to another process, or takes them back.
 *
 * ```
 * works ─► quiet: no new question ─► given: reads nothing of it ─► let go: its connections end
 *   ▲                                   │ the other one has come to nothing
 *   └───────────────────────────────────┘
 * ```
 * @module
 */
import type { WorkerContext } from "../context.ts";
import type { Service } from "../loop/service.ts";
import { TICK_MS, ticks } from "../loop/wheel.ts";
import type { UdpEstate, WorkerEstate } from "./estate.ts";

/** A part that leaves its sockets; `start` takes them back. */
export interface Leaver {
  leave(): void;
  start(): number;
}

/** Parts of a worker that are concerned. */
export interface GivingParts {
  /** Those by which it is asked. */
  readonly askers: readonly Leaver[];
  readonly acceptor: Leaver & { close(): void };
  /** Clients that it has dialled for, and that were not accepted yet; null: nobody asks. */
  readonly asked: { readonly pending: number } | null;
  /** null: it relays no UDP. */
  readonly udp: {
    give(): UdpEstate;
    takeBack(): void;
    letGo(): void;
    inherit(estate: UdpEstate): void;
  } | null;
  /** null: nothing is watched. */
  readonly watching: { give(): Int32Array; inherit(streams: Int32Array): void } | null;
  /** Tells the main thread that nobody waits to be accepted any more. */
  readonly quiet: () => void;
  readonly given: (estate: WorkerEstate) => void;
}

/** An order of a handover. */
export type GivingOrder = "quiet" | "give" | "take-back" | "let-go";

/** Ticks for those who were dialled for: who is not accepted by then asks the other process. */
const PATIENCE_TICKS = ticks(2000);
const NEVER = -1;

/** See the module. */
export class Giving implements Service {
  readonly #context: WorkerContext;
  readonly #parts: GivingParts;
  #deadline = NEVER;
  #isGiven = false;

  constructor(context: WorkerContext, parts: GivingParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** Takes over what a worker of another process has given. */
  inherit({ udp, streams }: WorkerEstate): void {
    this.#parts.watching?.inherit(streams);
    if (udp !== null) this.#parts.udp?.inherit(udp);
  }

  /** Obeys. */
  obey(order: GivingOrder): void {
    const { askers, acceptor, udp, watching, given } = this.#parts;
    switch (order) {
      case "quiet":
        for (const asker of askers) asker.leave();
        this.#deadline = this.#context.clock.tick + PATIENCE_TICKS;
        return;
      case "give":
        this.#deadline = NEVER;
        this.#isGiven = true;
        acceptor.leave();
        return given({
          udp: udp === null ? null : udp.give(),
          streams: watching === null ? new Int32Array(0) : watching.give(),
        });
      case "take-back":
        this.#deadline = NEVER;
        for (const asker of askers) asker.start();
        if (!this.#isGiven) return;
        this.#isGiven = false;
        acceptor.start();
        return udp?.takeBack();
      case "let-go":
        acceptor.close();
        return udp?.letGo();
      default:
        throw new TypeError(`no order: ${order satisfies never}`);
    }
  }

  /** See {@linkcode Service}: tells when nobody is waited for any more. */
  turn(): void {
    if (this.#deadline === NEVER) return;
    const { asked, quiet } = this.#parts;
    if (asked !== null && asked.pending > 0 && this.#context.clock.tick < this.#deadline) return;
    this.#deadline = NEVER;
    quiet();
  }

  /** See {@linkcode Service}. */
  timeout(): number {
    return this.#deadline === NEVER ? -1 : this.#parts.asked?.pending ? TICK_MS : 0;
  }

  /** See {@linkcode Service}. */
  start(): number {
    return 0;
  }

  /** See {@linkcode Service}. */
  event(): void {}

  /** See {@linkcode Service}. */
  drain(): void {}

  /** See {@linkcode Service}. */
  idle(): boolean {
    return true;
  }

  /** See {@linkcode Service}. */
  close(): void {}
}
