/**
 * The words of a handover: what a successor asks for, and who says what then.
 *
 * ```
 * successor                                the proxy that runs
 *   POST /v1/handover: Wish         ──►      a refusal, or a path
 *   connects there                  ──►
 *                                   ◄──  sockets     both have them; the proxy alone reads
 *   prepared: its workers could begin ──►
 *                                            reads nothing of it any more
 *                                   ◄──  rules, and an estate of each worker
 *   inherited                       ──►
 *                                   ◄──  yours
 *   its workers read;   running     ──►
 *                                   ◄──  released    lets its connections end
 * ```
 *
 * Where the connection ends before "running", the proxy reads on as before. Pure.
 * @module
 */
import type { Config } from "../../config/types.ts";
import type { UdpEstate, WorkerEstate } from "../../dataplane/handover/estate.ts";
import { HANDOVER_PROTOCOL } from "../../constants.ts";
import { OperationError } from "../../net/error.ts";
import { fixedKeys } from "../reload/changes.ts";
import type { Column, Parcel } from "./channel.ts";

/** The path that is asked. */
export const HANDOVER_TARGET = "/v1/handover";

/** Keys that a restart alone takes over, but that a successor may have changed. */
const FREE: readonly string[] = [
  "listener.workers",
  "limits.connections",
  "limits.udp-sessions",
  "control",
  "metrics",
  "log.format",
];

/** The question of a successor. */
export interface Wish {
  readonly protocol: number;
  readonly pid: number;
  /** The keys that both must have alike, as JSON. */
  readonly fixed: Readonly<Record<string, string>>;
}

/** The answer to it. */
export interface HandoverAnswer {
  readonly version: 1;
  /** The socket at which the rest is said. */
  readonly path: string;
}

/** Makes the question of a process with this config. */
export function wishOf(config: Config, pid: number): Wish {
  const keys = fixedKeys(config).filter(({ key }) => !FREE.includes(key));
  return {
    protocol: HANDOVER_PROTOCOL,
    pid,
    fixed: Object.fromEntries(keys.map(({ key, value }) => [key, JSON.stringify(value)])),
  };
}

/** Returns why a wish cannot be met by a proxy with this config; undefined: it can. */
export function refusalOf(wish: Wish, config: Config): string | undefined {
  if (wish.protocol !== HANDOVER_PROTOCOL) {
    return `it speaks version ${wish.protocol} of the handover, and the proxy that runs version ` +
      `${HANDOVER_PROTOCOL}: restart instead`;
  }
  if (config.kernel.backend === "iptables") {
    return "with kernel.backend iptables nothing is handed over: restart";
  }
  const { fixed } = wishOf(config, 0);
  const keys = new Set([...Object.keys(fixed), ...Object.keys(wish.fixed)]);
  const changed = [...keys].filter((key) => fixed[key] !== wish.fixed[key]);
  if (changed.length === 0) return undefined;
  return `${changed.join(", ")} ${
    changed.length === 1 ? "has" : "have"
  } changed since it was started: restart`;
}

/** Reads a question. Throws an OperationError where it is none. */
export function readWish(text: string): Wish {
  const wish = parse(text);
  const { protocol, pid, fixed } = wish as Partial<Wish>;
  const isWish = typeof protocol === "number" && typeof pid === "number" && typeof fixed === "object" &&
    fixed !== null && Object.values(fixed).every((value) => typeof value === "string");
  if (!isWish) throw new OperationError({ ...PURPOSE, reason: "this is no wish", usage: true });
  return { protocol, pid, fixed };
}

const PURPOSE = { operation: "hand over", object: "the proxy" } as const;

function parse(text: string): object {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/** Packs what a worker gives. */
export function packEstate({ udp, streams }: WorkerEstate): Partial<Omit<Parcel, "kind">> {
  if (udp === null) return { text: "null", columns: [streams] };
  const { earlyEnds, sessions, amounts, peers, detours, flows, waiting, fds, ...rest } = udp;
  const columns = [earlyEnds, sessions, amounts, peers, detours, flows, waiting, streams];
  return { text: JSON.stringify(rest), columns, fds };
}

/** Unpacks it. */
export function unpackEstate({ text, columns, fds }: Parcel): WorkerEstate {
  const rest = JSON.parse(text) as Pick<UdpEstate, "seed" | "names" | "links"> | null;
  // An earlier one has fewer columns.
  const words = (column = new Int32Array(0) as Column) => column as Int32Array;
  if (rest === null) return { udp: null, streams: words(columns[0]) };
  const [earlyEnds, sessions, amounts, peers, detours, flows, waiting, streams] = columns;
  return {
    udp: {
      ...rest,
      earlyEnds: words(earlyEnds),
      sessions: words(sessions),
      amounts: amounts as Float64Array,
      peers: words(peers),
      detours: words(detours),
      flows: words(flows),
      waiting: words(waiting),
      fds,
    },
    streams: words(streams),
  };
}
