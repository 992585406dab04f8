/**
 * Reads the numbers of a running proxy.
 * @module
 */
import { sinceEpoch } from "../../../ffi/clock.ts";
import type { Account, RuleHits } from "../../dataplane/shared/books.ts";
import type { Dataplane } from "../../dataplane/supervisor.ts";
import type { AccessLog } from "../access/access_log.ts";
import type { LiveRules } from "../live_rules.ts";
import type { Reloader } from "../reload/reloader.ts";
import type { RulesKeeper } from "../rules/keeper.ts";
import type { LogLoss } from "../surroundings.ts";
import type { Upstreams } from "../upstreams/upstreams.ts";
import { readProcess } from "./process.ts";
import { Ratchet } from "./ratchet.ts";
import type { Build, Bytes, Snapshot, Traffic } from "./snapshot.ts";

/** Those who know the numbers. */
export interface Metered {
  readonly build: Build;
  readonly dataplane: Pick<
    Dataplane,
    "account" | "hits" | "maxConnections" | "maxUdpSessions"
  >;
  readonly upstreams: Pick<Upstreams, "status">;
  readonly keeper: Pick<RulesKeeper, "inForce" | "healings">;
  readonly live: Pick<LiveRules, "unrelayed">;
  readonly reloads: Pick<Reloader, "refusal" | "since">;
  /** Those of the main thread's log; workers count what they lose themselves. */
  readonly lines: LogLoss;
  readonly access: Pick<AccessLog, "leftOut">;
  readonly isDraining: () => boolean;
}

/** See the module. */
export class Meter {
  readonly #metered: Metered;
  readonly #ratchet = new Ratchet();

  constructor(metered: Metered) {
    this.#metered = metered;
  }

  /** Reads all of them. No worker is woken. */
  read(): Snapshot {
    const { build, dataplane, upstreams, keeper, live, reloads, lines, access, isDraining } = this.#metered;
    const account = dataplane.account();
    const { ruleHits, upstreamHits } = dataplane.hits();
    const status = new Map(upstreams.status().map((one) => [one.name, one]));
    this.#ratchet.turn();
    return {
      build,
      process: readProcess(),
      isDraining: isDraining(),
      limits: { connections: dataplane.maxConnections, udpSessions: dataplane.maxUdpSessions },
      account,
      traffic: account.live.map(({ protocol, family }) => this.#trafficOf(account, { protocol, family })),
      rules: onePerName(ruleHits).map(({ name, action, flows, ...bytes }) => ({
        name,
        action,
        flows: this.#ratchet.hold(`rule ${name}`, flows),
        ...this.#hold(`rule ${name}`, bytes),
      })),
      upstreams: upstreamHits.map(({ name, flows, live, failed, ...bytes }) => ({
        name,
        carried: flows - live - failed,
        failed,
        isUp: status.get(name)?.state === "up",
        connections: status.get(name)?.connections ?? 0,
        ...this.#hold(`upstream ${name}`, bytes),
      })),
      kernel: { inForce: keeper.inForce, healings: { ...keeper.healings } },
      unrelayed: { ...live.unrelayed() },
      reload: { isRefused: reloads.refusal !== undefined, since: sinceEpoch(reloads.since) },
      lines: {
        heldBack: lines.heldBack,
        lost: lines.lost + account.counters.logsDropped,
        access: { ...access.leftOut },
      },
    };
  }

  #trafficOf({ ended, live }: Account, kind: Pick<Traffic, "protocol" | "family">): Traffic {
    const { protocol, family } = kind;
    const all = [...ended, ...live].filter((one) => one.protocol === protocol && one.family === family);
    const sum = (key: keyof Bytes) => all.reduce((sum, one) => sum + one[key], 0);
    const bytes = { bytesUp: sum("bytesUp"), bytesDown: sum("bytesDown") };
    return { protocol, family, ...this.#hold(`${protocol} ${family}`, bytes) };
  }

  #hold(name: string, { bytesUp, bytesDown }: Bytes): Bytes {
    return {
      bytesUp: this.#ratchet.hold(`${name} up`, bytesUp),
      bytesDown: this.#ratchet.hold(`${name} down`, bytesDown),
    };
  }
}

/** Leaves the first rule of each name: its numbers are those of all of that name. */
function onePerName(rules: readonly RuleHits[]): RuleHits[] {
  return rules.filter(({ name }, index) => rules.findIndex((other) => other.name === name) === index);
}
