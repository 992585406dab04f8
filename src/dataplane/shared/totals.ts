/**
 * The sessions that have ended under one generation of the policy, by worker, rule, protocol, family and
 * ending: shared memory.
 * @module
 */
import type { Columns } from "./columns.ts";
import { ENDINGS } from "./endings.ts";

/** Families by number. */
export const FAMILIES = ["ipv4", "ipv6"] as const;

/** The number of no rule: none was asked, or none could tell. Below those of the policy. */
export const UNDECIDED = -2;

/** A cell: a count for each ending, bytes up, bytes down. */
const CELL = ENDINGS.length + 2;
const UP = ENDINGS.length;
const DOWN = UP + 1;
const HEADER_BYTES = 64;

// Words of the header.
const GENERATION = 0;
const RULES = 1;
const UPSTREAMS = 2;

/** Totals of ended sessions of one kind. */
export interface TotalsCell {
  /** Number of the rule; DEFAULT_RULE of the policy, or UNDECIDED. */
  readonly rule: number;
  /** Numbers. */
  readonly protocol: number;
  readonly family: number;
  /** Number of sessions for each of ENDINGS. */
  readonly endings: readonly number[];
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** Totals of ended sessions of one upstream. */
export interface UpstreamCell extends Pick<TotalsCell, "endings" | "bytesUp" | "bytesDown"> {
  /** The i-th upstream is i + 1. */
  readonly carrier: number;
}

/** The totals of one generation; make one per thread from the same memory. */
export class Totals {
  readonly memory: SharedArrayBuffer;
  readonly generation: number;
  readonly rules: number;
  readonly upstreams: number;
  readonly #cells: Float64Array<SharedArrayBuffer>;

  /** Fresh memory, or a view on what another thread made. */
  constructor(
    from: SharedArrayBuffer | { generation: number; rules: number; upstreams: number; workers: number },
  ) {
    const fresh = !(from instanceof SharedArrayBuffer);
    this.memory = fresh
      ? new SharedArrayBuffer(HEADER_BYTES + from.workers * (cellsOf(from.rules) + from.upstreams) * CELL * 8)
      : from;
    const header = new Int32Array(this.memory, 0, HEADER_BYTES / 4);
    if (fresh) {
      header[GENERATION] = from.generation;
      header[RULES] = from.rules;
      header[UPSTREAMS] = from.upstreams;
    }
    this.generation = header[GENERATION];
    this.rules = header[RULES];
    this.upstreams = header[UPSTREAMS];
    this.#cells = new Float64Array(this.memory, HEADER_BYTES);
  }

  /** Adds a session. Only the worker itself adds to its cells, or whoever comes after it. */
  add(
    worker: number,
    session: {
      readonly rule: number;
      readonly carrier: number;
      readonly protocol: number;
      readonly family: number;
    },
    ending: number,
    up: number,
    down: number,
  ): void {
    const { rule, carrier, protocol, family } = session;
    this.#addTo(worker, (rule - UNDECIDED) * 4 + protocol * 2 + family, ending, up, down);
    if (carrier > 0 && carrier <= this.upstreams) {
      this.#addTo(worker, cellsOf(this.rules) + carrier - 1, ending, up, down);
    }
  }

  #addTo(worker: number, cell: number, ending: number, up: number, down: number): void {
    const at = (worker * this.#perWorker + cell) * CELL;
    this.#cells[at + ending]++;
    this.#cells[at + UP] += up;
    this.#cells[at + DOWN] += down;
  }

  get #perWorker(): number {
    return cellsOf(this.rules) + this.upstreams;
  }

  /** Lists what has ended, summed over the workers; kinds of which nothing has ended are left out. */
  *cells(): Generator<TotalsCell> {
    for (let kind = 0; kind < cellsOf(this.rules); kind++) {
      const sum = this.#sum(kind);
      if (sum === undefined) continue;
      yield { rule: (kind >> 2) + UNDECIDED, protocol: (kind >> 1) & 1, family: kind & 1, ...sum };
    }
  }

  /** Lists the same by upstream. */
  *upstreamCells(): Generator<UpstreamCell> {
    for (let carrier = 1; carrier <= this.upstreams; carrier++) {
      const sum = this.#sum(cellsOf(this.rules) + carrier - 1);
      if (sum !== undefined) yield { carrier, ...sum };
    }
  }

  #sum(cell: number): Omit<UpstreamCell, "carrier"> | undefined {
    const sums = new Array<number>(CELL).fill(0);
    for (let at = cell * CELL; at < this.#cells.length; at += this.#perWorker * CELL) {
      for (let i = 0; i < CELL; i++) sums[i] += this.#cells[at + i];
    }
    if (sums.every((sum) => sum === 0)) return undefined;
    return { endings: sums.slice(0, ENDINGS.length), bytesUp: sums[UP], bytesDown: sums[DOWN] };
  }
}

/** A worker's hold on the totals of all generations that live. */
export class WorkerTotals {
  readonly #worker: number;
  readonly #byGeneration = new Map<number, Totals>();
  readonly #kind = { rule: 0, carrier: 0, protocol: 0, family: 0 };
  /** The one to which new sessions belong. */
  generation = 0;

  constructor(worker: number, memory: SharedArrayBuffer) {
    this.#worker = worker;
    this.adopt(memory);
  }

  /** Takes the totals of the generation that is in force from now on. */
  adopt(memory: SharedArrayBuffer): void {
    const totals = new Totals(memory);
    this.#byGeneration.set(totals.generation, totals);
    this.generation = totals.generation;
  }

  /** Forgets generations to which no live session of these ledgers belongs. */
  forgetPast(ledgers: readonly Columns[]): void {
    if (this.#byGeneration.size < 2) return;
    const live = new Set(ledgers.flatMap((columns) => columns.liveGenerations()));
    for (const generation of this.#byGeneration.keys()) {
      if (generation !== this.generation && !live.has(generation)) this.#byGeneration.delete(generation);
    }
  }

  /** Adds the session of a row that is about to end. */
  add(columns: Columns, slot: number, protocol: number, ending: number, up: number, down: number): void {
    const kind = this.#kind;
    kind.rule = columns.rule[slot];
    kind.carrier = columns.carrier[slot];
    kind.protocol = protocol;
    kind.family = columns.familyOf(slot);
    this.#byGeneration.get(columns.generation[slot])?.add(this.#worker, kind, ending, up, down);
  }
}

/** Returns the number of cells of one worker: the rules, default and undecided, by protocol and family. */
function cellsOf(rules: number): number {
  return (rules - UNDECIDED) * 4;
}
