/**
 * A running proxy: its workers, its rules, the config in force.
 * @module
 */
import type { Dataplane } from "../dataplane/supervisor.ts";
import type { Life } from "../kernel/liveness/life.ts";
import type { AdjustableLogger } from "../log.ts";
import { OperationError } from "../net/error.ts";
import type { Family } from "../net/ip.ts";
import type { AccessLog } from "./access/access_log.ts";
import type { LiveRules } from "./live_rules.ts";
import {
  type ConfigSource,
  type Generation,
  loadNext,
  prepareGeneration,
  type SettingsOf,
} from "./reload/generation.ts";
import { Meter } from "./metrics/meter.ts";
import type { Build } from "./metrics/snapshot.ts";
import type { RulesKeeper } from "./rules/keeper.ts";
import type { Survey } from "./routes/survey.ts";
import { placeLinks } from "./network/links.ts";
import type { NetworkWatch } from "./network/network_watch.ts";
import type { ReloadOutcome } from "./reload/outcome.ts";
import { Reloader } from "./reload/reloader.ts";
import { describeStatus, type StatusFacts } from "./report.ts";
import type { LogLoss } from "./surroundings.ts";
import type { Upstreams } from "./upstreams/upstreams.ts";

/** A worker that turns takes a new config at once. */
const SLOW_MS = 5_000;

/** The parts of a proxy that has started. */
export interface ProxyParts {
  readonly source: ConfigSource;
  readonly first: Generation;
  readonly families: readonly Family[];
  readonly dataplane: Dataplane;
  readonly upstreams: Upstreams;
  readonly keeper: RulesKeeper;
  /** undefined: nobody tells of changes of the network. */
  readonly watch: NetworkWatch | undefined;
  /** undefined: flows are taken early. */
  readonly survey: Survey | undefined;
  readonly life: Life;
  readonly live: LiveRules;
  readonly access: AccessLog;
  readonly log: AdjustableLogger;
  readonly lines: LogLoss;
  readonly build: Build;
}

/** The listener that is told of reloads. */
export interface ReloadListener {
  begun(): void;
  ended(): void;
}

/** See the module. */
export class Proxy {
  readonly dataplane: Dataplane;
  readonly upstreams: Upstreams;
  readonly keeper: RulesKeeper;
  readonly meter: Meter;
  /** Numbers of workers that hang. */
  hanging: readonly number[] = [];
  /** Is told of reloads. */
  listener: ReloadListener = { begun() {}, ended() {} };
  readonly #parts: ProxyParts;
  readonly #reloader: Reloader;
  #draining = false;
  /** Another process has all but the live connections. */
  #handedOver = false;

  constructor(parts: ProxyParts) {
    this.dataplane = parts.dataplane;
    this.upstreams = parts.upstreams;
    this.keeper = parts.keeper;
    this.#parts = parts;
    this.#reloader = this.#makeReloader();
    this.meter = new Meter({ ...parts, reloads: this.#reloader, isDraining: () => this.#draining });
    parts.access.adopt(parts.first.loaded.config.log.access);
  }

  /** The config in force. */
  get generation(): Generation {
    return this.#reloader.inForce;
  }

  /** `timeouts.drain` in force. */
  get drainMs(): number {
    return this.generation.loaded.config.timeouts.drainMs;
  }

  /** Takes the config over that its file holds now, or says why not: in the log, and to whoever asks. */
  reload(): Promise<ReloadOutcome> {
    this.#parts.access.reopen();
    return this.#reloader.request();
  }

  /** Looks again, now and then, at what nobody tells of. */
  again(): Promise<void> {
    if (this.#handedOver) return Promise.resolve();
    this.#parts.survey?.again();
    return this.keeper.again();
  }

  /** Takes nothing new, reloads included; live connections go on. */
  drain(): void {
    if (this.#handedOver) return;
    this.#draining = true;
    this.#reloader.close();
    const { life, live, log } = this.#parts;
    life.end();
    try {
      live.drain();
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      log.warn("new flows are asked for until the end", { reason: error.message });
    }
    this.dataplane.drain();
  }

  /** The rules of this process, for one that takes over. */
  get live(): LiveRules {
    return this.#parts.live;
  }

  /** Leaves all but its live connections to another process, which has it by now. */
  handOver(): void {
    this.#draining = this.#handedOver = true;
    this.#reloader.close();
    const { life, live, watch } = this.#parts;
    life.leave();
    live.close();
    watch?.end(); // two must not mend the same rules
    this.dataplane.endGiving("let-go");
    this.dataplane.drain();
  }

  /** Resets what is left. */
  stop(): void {
    this.dataplane.stop();
  }

  /** The line that `systemctl status` shows. */
  describe(): string {
    return describeStatus(this.facts());
  }

  /** Returns what there is to say of it now. */
  facts(): StatusFacts {
    const { dataplane, families, keeper } = this.#parts;
    const { refusal } = this.#reloader;
    return {
      phase: this.#draining ? "draining" : "running",
      connections: dataplane.live(),
      udpSessions: dataplane.udpLive(),
      families,
      rules: keeper.state,
      hanging: this.hanging,
      refused: refusal === undefined ? undefined : { refusal, generation: this.generation.number },
    };
  }

  /** Leaves nothing behind, when the workers have ended. */
  async end(): Promise<void> {
    const { access, life, live, watch, survey, upstreams } = this.#parts;
    upstreams.end();
    life.end();
    await this.#reloader.close();
    await access.end();
    await watch?.end();
    if (!this.#handedOver) survey?.end(); // its routing rules are the other process's by now
    live.close();
  }

  #makeReloader(): Reloader {
    const { source, first, dataplane, upstreams, keeper, access, log } = this.#parts;
    return new Reloader(first, {
      log,
      load: (inForce) => loadNext(inForce, source),
      prepare(usable, inForce) {
        const settings = upstreams.prepare(usable);
        const settingsOf: SettingsOf = (config) => dataplane.settingsOf(config, settings);
        return prepareGeneration(usable, inForce, { ...source, settingsOf });
      },
      adoptWorkers: (generation) => this.#adoptWorkers(generation),
      adoptRules: (next, changed) => keeper.adopt(next, changed),
      adoptRest(next) {
        const { log: { level, access: where } } = next.loaded.config;
        log.setLevel(level);
        access.adopt(where);
        upstreams.adopt(next, dataplane);
      },
      begun: () => this.listener.begun(),
      ended: () => this.listener.ended(),
    });
  }

  async #adoptWorkers({ settings, policy }: Generation): Promise<void> {
    const { dataplane, upstreams, log } = this.#parts;
    placeLinks(policy, log);
    const slow = setTimeout(() => log.warn("the reload waits for a worker that does not take it"), SLOW_MS);
    try {
      // Workers that have ended take nothing.
      await Promise.race([dataplane.adopt({ settings, policy }), dataplane.ended]);
      upstreams.tellAddresses(); // they may have changed since these settings were made
    } finally {
      clearTimeout(slow);
    }
  }
}
