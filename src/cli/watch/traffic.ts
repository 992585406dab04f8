/**
 * Rates and devices, from one look at the flows to the next. The viewer computes them: the proxy only counts.
 * Pure.
 * @module
 */
import { formatDestination } from "../connections/table.ts";
import type { WatchedFlow } from "./flow.ts";

/** Seconds that a flow is shown when it has ended. */
const REMEMBERED_MS = 60_000;
/** Looks over which the average goes, and that are drawn. */
export const AVERAGED = 10;
const HISTORY = 60;

/** A flow with its rates, in bytes a second. */
export interface FlowTraffic {
  readonly flow: WatchedFlow;
  readonly down: number;
  readonly up: number;
  /** The mean of the last {@linkcode AVERAGED} looks. */
  readonly average: number;
  /** Milliseconds since 1970; null: it is live. */
  readonly ended: number | null;
}

/** All that goes by one name: a device, or a rule. */
export interface GroupTraffic {
  readonly name: string;
  /** One of the addresses that it has now. */
  readonly address: string;
  readonly addresses: number;
  readonly flows: number;
  readonly down: number;
  readonly up: number;
  readonly average: number;
  /** Bytes a second, a look each. */
  readonly history: readonly number[];
  /** Bytes of the flows that were seen. */
  readonly total: number;
  /** The place to which most goes. */
  readonly top: string;
}

interface KnownFlow {
  flow: WatchedFlow;
  down: number;
  up: number;
  readonly history: number[];
  ended: number | null;
}

interface KnownGroup {
  readonly history: number[];
  total: number;
}

/** The traffic. */
export class Traffic {
  readonly #flows = new Map<string, KnownFlow>();
  readonly #devices = new Map<string, KnownGroup>();
  readonly #rules = new Map<string, KnownGroup>();
  #looked = -1;

  /** Takes what the proxy says now. `now`: milliseconds since 1970. */
  look(flows: readonly WatchedFlow[], now: number): void {
    const before = this.#looked;
    const seconds = before < 0 ? 0 : Math.max(0.001, (now - before) / 1000);
    const live = new Set<string>();
    const moved: [WatchedFlow, number, number][] = [];
    for (const flow of flows) {
      live.add(flow.id);
      const known = this.#flows.get(flow.id);
      const down = flow.bytesDown - (known?.flow.bytesDown ?? 0);
      const up = flow.bytesUp - (known?.flow.bytesUp ?? 0);
      // Of a flow that is older than the last look nobody knows when its bytes went.
      const isRated = seconds > 0 && (known !== undefined || flow.started >= before);
      const next = known ?? { flow, down: 0, up: 0, history: [], ended: null };
      next.flow = flow;
      next.down = isRated ? down / seconds : 0;
      next.up = isRated ? up / seconds : 0;
      next.ended = null;
      push(next.history, next.down + next.up, AVERAGED);
      this.#flows.set(flow.id, next);
      moved.push([flow, down + up, next.down + next.up]);
    }
    this.#end(live, now);
    tally(this.#devices, moved, ({ device }) => device);
    tally(this.#rules, moved, ({ rule }) => rule);
    this.#looked = now;
  }

  /** The flows, those that have ended not long ago included. */
  flows(): FlowTraffic[] {
    return [...this.#flows.values()].map(({ flow, down, up, history, ended }) => ({
      flow,
      down,
      up,
      average: mean(history),
      ended,
    }));
  }

  /** The devices that have been seen. */
  devices(): GroupTraffic[] {
    return this.#describe(this.#devices, ({ device }) => device);
  }

  /** The rules that have been seen at work. */
  rules(): GroupTraffic[] {
    return this.#describe(this.#rules, ({ rule }) => rule);
  }

  #end(live: ReadonlySet<string>, now: number): void {
    for (const [id, known] of this.#flows) {
      if (live.has(id)) continue;
      known.ended ??= now;
      known.down = known.up = 0;
      push(known.history, 0, AVERAGED);
      if (now - known.ended > REMEMBERED_MS) this.#flows.delete(id);
    }
  }

  #describe(groups: ReadonlyMap<string, KnownGroup>, nameOf: (flow: WatchedFlow) => string): GroupTraffic[] {
    const members = Map.groupBy(
      [...this.#flows.values()].filter(({ ended }) => ended === null),
      ({ flow }) => nameOf(flow),
    );
    return [...groups].map(([name, { history, total }]) => {
      const flows = members.get(name) ?? [];
      const addresses = new Set(flows.map(({ flow }) => flow.client));
      const sum = (of: (known: KnownFlow) => number) => flows.reduce((all, known) => all + of(known), 0);
      return {
        name,
        address: addresses.values().next().value ?? "",
        addresses: addresses.size,
        flows: flows.length,
        down: sum(({ down }) => down),
        up: sum(({ up }) => up),
        average: mean(history.slice(-AVERAGED)),
        history,
        total,
        top: topOf(flows),
      };
    });
  }
}

/** Adds what has moved to the groups; a group without flows goes on with nothing. */
function tally(
  groups: Map<string, KnownGroup>,
  moved: readonly (readonly [flow: WatchedFlow, bytes: number, rate: number])[],
  nameOf: (flow: WatchedFlow) => string,
): void {
  const rates = new Map<string, number>([...groups.keys()].map((name) => [name, 0]));
  for (const [flow, bytes, rate] of moved) {
    const name = nameOf(flow);
    const group = groups.get(name) ?? { history: [], total: 0 };
    group.total += bytes;
    groups.set(name, group);
    rates.set(name, (rates.get(name) ?? 0) + rate);
  }
  for (const [name, rate] of rates) push(groups.get(name)!.history, rate, HISTORY);
}

function topOf(flows: readonly KnownFlow[]): string {
  let best: KnownFlow | undefined;
  for (const known of flows) if (best === undefined || weightOf(known) > weightOf(best)) best = known;
  return best === undefined ? "" : best.flow.name ?? best.flow.destination ?? "";
}

/** Weighs a flow: what moves now counts most; among those that rest, what has moved. */
function weightOf({ flow, down, up }: KnownFlow): number {
  return (down + up) * 1e6 + flow.bytesDown + flow.bytesUp;
}

function push(values: number[], value: number, most: number): void {
  values.push(value);
  if (values.length > most) values.shift();
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Tells whether a flow, by any of its words, is one that somebody looks for. */
export function matches(flow: WatchedFlow, filter: string): boolean {
  const words = [
    `${flow.protocol}${flow.family}`,
    flow.device,
    flow.client,
    formatDestination(flow),
    flow.destination ?? "",
    flow.rule,
    flow.upstream ?? "direct",
    flow.state,
  ];
  return filter.toLowerCase().split(/\s+/).every((part) =>
    words.some((word) => word.toLowerCase().includes(part))
  );
}
