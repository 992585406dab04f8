/**
 * A worker's obedience to its orders.
 * @module
 */
import { policyOf, type WorkerContext } from "./context.ts";
import type { GivenConnections } from "./handover/connections.ts";
import type { GivingOrder } from "./handover/giving.ts";
import type { Adoption, Order } from "./orders.ts";
import { withAddresses } from "./settings.ts";
import type { SessionKey } from "./shared/session_key.ts";

/** Live sessions of one protocol, as orders see them. */
export interface ObedientSessions {
  /** Ends a session with a reset, if it lives. */
  abort(slot: number, tag: number): void;
  /** Looks at all timers again: timeouts have changed. */
  retime(): void;
}

/** The part of a worker that orders concern. */
export interface Obedience {
  readonly context: WorkerContext;
  readonly tcp: ObedientSessions & { inherit(connections: GivenConnections): void };
  /** null: UDP is not relayed. */
  readonly udp: ObedientSessions | null;
  readonly giving: { obey(order: GivingOrder): void };
  /** Changes what is logged. */
  readonly setLogLevel: (level: Adoption["settings"]["logLevel"]) => void;
  /** Tells the main thread that an adoption is done. */
  readonly adopted: (number: number) => void;
  /** Ends the worker, at once or when nothing is left to wait for. */
  readonly end: (kind: "drain" | "stop") => void;
}

/** Obeys. Throws on what is no order: a worker that does not know what it should do ends. */
export function obey(order: Order, worker: Obedience): void {
  switch (order.kind) {
    case "adopt":
      return adopt(order.adoption, worker);
    case "addresses":
      worker.context.settings = withAddresses(worker.context.settings, order);
      return;
    case "close":
      for (const key of order.sessions) close(key, worker);
      return;
    case "giving":
      return worker.giving.obey(order.step);
    case "take":
      return worker.tcp.inherit(order.connections);
    case "drain":
    case "stop":
      return worker.end(order.kind);
    default:
      throw new TypeError(`no order: ${JSON.stringify(order satisfies never)}`);
  }
}

function adopt({ number, settings, policy, totals }: Adoption, worker: Obedience): void {
  const { context } = worker;
  context.settings = settings;
  context.policy = policyOf(policy);
  context.totals.adopt(totals);
  context.totals.forgetPast([context.ledgers.tcp.columns, context.ledgers.udp.columns]);
  worker.setLogLevel(settings.logLevel);
  worker.tcp.retime();
  worker.udp?.retime();
  worker.adopted(number);
}

function close({ protocol, slot, tag }: SessionKey, { tcp, udp }: Obedience): void {
  switch (protocol) {
    case "tcp":
      return tcp.abort(slot, tag);
    case "udp":
      return udp?.abort(slot, tag);
    default:
      throw new TypeError(`no protocol: ${JSON.stringify(protocol satisfies never)}`);
  }
}
