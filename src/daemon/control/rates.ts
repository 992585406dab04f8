/**
 * Counts per second, of the last ten seconds or some more: who asks once wants no second look.
 * @module
 */
import type { Dataplane } from "../../dataplane/supervisor.ts";

/** Milliseconds between two looks at the counters. */
const LOOK_MS = 5000;
/** Looks that are kept: rates are over two to three times that. */
const KEPT = 3;

/** Counts per second. */
export interface Rates {
  /** Milliseconds that they are of. */
  readonly overMs: number;
  readonly accepted: number;
  readonly udpSessions: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** Counts of one moment. */
export interface Look extends Omit<Rates, "overMs"> {
  /** Milliseconds of any clock that only goes forward. */
  readonly at: number;
}

/** The looks of the last seconds. */
export class RateWatch {
  readonly #dataplane: Pick<Dataplane, "counters">;
  readonly #looks: Look[] = [];
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(dataplane: Pick<Dataplane, "counters">) {
    this.#dataplane = dataplane;
    this.#keep();
    this.#timer = setInterval(() => this.#keep(), LOOK_MS);
  }

  /** Returns what there is per second now. */
  rates(): Rates {
    return ratesBetween(this.#looks[0], this.#look());
  }

  /** Looks no more. */
  end(): void {
    clearInterval(this.#timer);
  }

  #keep(): void {
    this.#looks.push(this.#look());
    if (this.#looks.length > KEPT) this.#looks.shift();
  }

  #look(): Look {
    const { accepted, udpOpened, bytesUp, bytesDown, udpBytesUp, udpBytesDown } = this.#dataplane.counters();
    return {
      at: performance.now(),
      accepted,
      udpSessions: udpOpened,
      bytesUp: bytesUp + udpBytesUp,
      bytesDown: bytesDown + udpBytesDown,
    };
  }
}

/** Divides what lies between two looks by its time. */
export function ratesBetween(before: Look, now: Look): Rates {
  const overMs = Math.round(now.at - before.at);
  const perSecond = (from: number, to: number) => overMs <= 0 ? 0 : (to - from) * 1000 / overMs;
  return {
    overMs,
    accepted: perSecond(before.accepted, now.accepted),
    udpSessions: perSecond(before.udpSessions, now.udpSessions),
    bytesUp: perSecond(before.bytesUp, now.bytesUp),
    bytesDown: perSecond(before.bytesDown, now.bytesDown),
  };
}
