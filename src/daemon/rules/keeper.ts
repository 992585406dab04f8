/**
 * Keeps the rules in the kernel right while interfaces and default routes come, go and move, and while other
 * programs flush, delete, or put theirs before ours.
 *
 * It changes only what is known to be an install of the config in force: it was whole once, and nobody has
 * uninstalled or installed since. So an `uninstall`, and an `install` of another config, hold while it runs.
 * @module
 */
import type { LoadedConfig } from "../../config/load.ts";
import { adjustRouting, install, readStatus, type Wanted } from "../../kernel/backends.ts";
import type { ObjectStatus } from "../../kernel/backend/object_status.ts";
import type { Life } from "../../kernel/liveness/life.ts";
import { isOfAnotherProxy } from "../../kernel/live/fit.ts";
import type { Plan } from "../../kernel/plan/model.ts";
import { preparePlan } from "../../kernel/prepare.ts";
import {
  comparePlans,
  describePlans,
  isRouting,
  judgePresence,
  type PlanChange,
  type Presence,
} from "../../kernel/presence.ts";
import type { Logger } from "../../log.ts";
import { OperationError } from "../../net/error.ts";
import { hasTraceOfTrial, tidyTrial, trialLeft } from "../../kernel/trials.ts";
import type { LiveRules } from "../live_rules.ts";
import type { NetworkChange } from "../network/change.ts";
import { Fight } from "./fight.ts";
import { RulesState } from "./state.ts";

/** Milliseconds after the end of a trial at which that is looked at. */
const AFTER_TRIAL_MS = 100;

/** Parts that it works with. */
export interface KeeperOptions {
  /** The config in force at the start. */
  readonly loaded: LoadedConfig;
  /** Make the first install, as soon as the network allows it. */
  readonly installs: boolean;
  readonly life: Life;
  /** The rules of this process: right before those that send them something. */
  readonly live: LiveRules;
  readonly log: Logger;
  /** Throws Deno's errors. */
  readonly readTextFile: (path: string) => string;
}

/** A step towards right rules: make all, change what differs, mend what others did, or see whose they are. */
type Step =
  | { readonly kind: "install" }
  | { readonly kind: "mend"; readonly missing: readonly ObjectStatus[] }
  | { readonly kind: "adjust"; readonly change: PlanChange }
  | { readonly kind: "look"; readonly found?: Found };

/** The kernel's rules as a look has found them. */
interface Found {
  readonly presence: Presence;
  readonly missing: readonly ObjectStatus[];
  /** Tells whether they are for a proxy with other ports or marks. */
  readonly isOfAnother: boolean;
}

/** See the module. */
export class RulesKeeper {
  /** Objects that were made again after somebody had removed them, so far. */
  readonly healings: Record<ObjectStatus["kind"], number> = {
    table: 0,
    set: 0,
    chain: 0,
    rule: 0,
    "routing-rule": 0,
    route: 0,
  };
  readonly #options: KeeperOptions;
  readonly #state: RulesState;
  /** The config in force. */
  #loaded: LoadedConfig;
  /**
   * The plan of the last look, and its config. Where that is no longer the config in force, the rules are to
   * change.
   */
  #wanted: Wanted | undefined;
  /** An install is to be made that nobody has made yet. */
  #due: boolean;
  /** The kernel has what this network wants, as far as is known. */
  #inForce = false;
  /** The install is known to be ours: what is missing is mended. */
  #mends = false;
  /** The install is for a proxy with other ports or marks; undefined: not known yet. */
  #isOfAnother: boolean | undefined;
  readonly #fight = new Fight();
  /** The first priority that our routing rules have had to take so far. */
  #front = Infinity;
  /** The last attempt at a change has failed. */
  #failed = false;
  /** The last look has found a trial that goes on. */
  #onTrial = false;
  /** Looks again when a trial is over: of that end nobody tells. */
  #trialEnd: ReturnType<typeof setTimeout> | undefined;
  /** One look after another. */
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#loaded = options.loaded;
    this.#due = options.installs;
    this.#state = new RulesState(options.log);
  }

  /** Tells whether the kernel has what the config and this network want, as far as is known. */
  get inForce(): boolean {
    return this.#inForce;
  }

  /** State of the rules, in a few words. */
  get state(): string {
    return this.#state.text;
  }

  /**
   * Looks for the first time: installs if it is to, says what is there if not. Never throws what an
   * administrator could mend.
   */
  begin(): Promise<void> {
    return this.networkChanged();
  }

  /**
   * Looks again, now and then, where the last look was no good: somebody may have installed, or what failed
   * may succeed.
   */
  async again(): Promise<void> {
    if (this.#failed || (this.#mends && !this.#inForce)) return await this.networkChanged();
    const wanted = this.#wanted;
    if (!this.#inForce && wanted !== undefined) await this.#guard(() => this.#lookAndTell(wanted.plan));
  }

  /** Plans again after the network has changed, and changes what differs, or mends what others have done. */
  networkChanged(change?: NetworkChange): Promise<void> {
    return this.#guard(async () => {
      if (change?.remade || change?.uninstalled) {
        this.#mends = false;
        this.#fight.forget();
      }
      const iptables = this.#loaded.config.kernel.backend === "iptables";
      if (change !== undefined && !change.plan && !change.rules && !(iptables && change.firewall)) return;
      const plan = this.#prepare();
      if (plan === undefined) return;
      this.#adoptLive(plan);
      await this.#take(await this.#nextStep(plan), plan, change?.by);
    });
  }

  /**
   * Takes another config over. Its rules replace those of the config before where the kernel has these;
   * others are left alone. `plan`: what it wants on this network; undefined: nothing that can be had, which
   * may come. `changed`: its rules are others. Throws an OperationError if the kernel refuses them; then the
   * config before is in force.
   */
  adopt({ loaded, plan }: { loaded: LoadedConfig; plan: Plan | undefined }, changed: boolean): Promise<void> {
    const adopted = this.#work.then(() => this.#adopt(loaded, plan, changed));
    this.#work = adopted.catch(() => {}); // told to the caller
    return adopted;
  }

  async #adopt(loaded: LoadedConfig, plan: Plan | undefined, changed: boolean): Promise<void> {
    if (changed && await this.#trialGoesOn()) throw duringTrial();
    const before = { loaded: this.#loaded, wanted: this.#wanted };
    if (plan !== undefined) this.#adoptLive(plan); // or all stays as it was
    this.#loaded = loaded;
    if (!changed && this.#wanted !== undefined) this.#wanted = { ...this.#wanted, config: loaded.config };
    if (plan === undefined) return;
    // Rules that cannot be looked at are left alone: the proxy's half needs no privilege.
    const step = await this.#attempt(() => this.#nextStep(plan));
    if (step === undefined || (step.kind === "look" && this.#inForce && !changed)) return;
    if (step.kind === "look") return void await this.#attempt(() => this.#lookAndTell(plan, step.found));
    try {
      await this.#take(step, plan);
    } catch (error) {
      this.#loaded = before.loaded;
      this.#wanted = before.wanted;
      if (before.wanted !== undefined) this.#adoptLive(before.wanted.plan);
      throw error;
    }
  }

  /**
   * Tells whether an install is on trial: until that is over nothing is changed, and a first install that was
   * due is left to "confirm". Remains of a trial that is over are taken away where this program may; they
   * have no effect, and are nothing to wait for.
   */
  async #trialGoesOn(): Promise<boolean> {
    clearTimeout(this.#trialEnd);
    const left = trialLeft();
    const isOn = left !== undefined && left > 0;
    if (left === 0 && (await tidyTrial() || this.#onTrial)) this.#state.trialOver();
    this.#onTrial = isOn;
    if (!isOn) return false;
    this.#due = false;
    this.#trialEnd = setTimeout(() => this.networkChanged(), left + AFTER_TRIAL_MS);
    Deno.unrefTimer(this.#trialEnd);
    return true;
  }

  /** Chooses the step after which the kernel has what the plan wants. */
  async #nextStep(plan: Plan): Promise<Step> {
    if (await this.#trialGoesOn()) return { kind: "look" };
    if (this.#due) return { kind: "install" };
    const wanted = this.#wanted;
    if (wanted === undefined) return { kind: "look" };
    const change = this.#compare(wanted, plan);
    if (change === undefined && !this.#mends) return { kind: "look" };
    const found = await this.#look(wanted);
    const { presence, missing } = found;
    if (presence === "whole" && change !== undefined) return { kind: "adjust", change };
    if (presence !== "whole" && presence !== "other" && this.#mends) return { kind: "mend", missing };
    // Of a trial that nobody has confirmed routing is left as well.
    if (presence === "flushed" && this.#options.installs && !hasTraceOfTrial()) return { kind: "install" };
    return change === undefined ? { kind: "look", found } : { kind: "look" };
  }

  #compare({ plan, config }: Wanted, next: Plan): PlanChange | undefined {
    // Lists of another config are not compared: they may be long.
    return config === this.#loaded.config
      ? comparePlans(plan, next)
      : describePlans(plan, next, { table: true });
  }

  /** Makes the rules of this process those of the plan, once it is known whom the install is for. */
  #adoptLive(plan: Plan): void {
    if (this.#isOfAnother !== undefined) this.#options.live.adopt(plan, !this.#isOfAnother);
  }

  #take(step: Step, plan: Plan, by?: string): Promise<void> {
    if (step.kind !== "look") {
      this.#isOfAnother = false;
      this.#adoptLive(plan);
    }
    switch (step.kind) {
      case "install":
        return this.#install(plan);
      case "mend":
        return this.#mend(plan, step.missing, by);
      case "adjust":
        return this.#adjust(plan, step.change, by);
      case "look":
        return this.#lookAndTell(plan, step.found);
      default:
        throw new TypeError(`No step ${JSON.stringify(step satisfies never)}`);
    }
  }

  /** Plans for the network as it is now; undefined, and a line in the log: no plan can be had. */
  #prepare(): Plan | undefined {
    try {
      const plan = preparePlan(this.#loaded, this.#options.readTextFile, {
        absentInterfaces: true,
        anew: this.#due,
      });
      this.#state.possible();
      return plan;
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.#state.impossible(error, { kept: !this.#due && this.#wanted !== undefined });
      return undefined;
    }
  }

  async #look(wanted: Wanted): Promise<Found> {
    const { objects } = await readStatus(wanted, this.#options.readTextFile);
    return {
      presence: judgePresence(objects),
      missing: objects.filter(({ state }) => state === "missing"),
      isOfAnother: isOfAnotherProxy(objects),
    };
  }

  async #install(plan: Plan): Promise<void> {
    const place = await this.#makeAll(plan);
    this.#due = false;
    this.#settle(plan);
    this.#state.installed(plan, place);
  }

  /** Makes what is missing again, unless it goes on for too long. */
  async #mend(plan: Plan, missing: readonly ObjectStatus[], by: string | undefined): Promise<void> {
    this.#inForce = false;
    if (!this.#fight.strike(performance.now())) return this.#state.gaveUp(by);
    if (missing.every(isRouting)) adjustRouting(plan);
    else await this.#makeAll(plan);
    for (const { kind } of missing) this.healings[kind]++;
    this.#state.mended(missing, by);
    this.#settle(plan);
  }

  /** Follows the network, unless it is another program that will not let our routing rules be first. */
  async #adjust(plan: Plan, change: PlanChange, by: string | undefined): Promise<void> {
    const first = Math.min(...plan.routingRules.map(({ priority }) => priority));
    // A VPN that flaps has them move to and fro; in a race they go further to the front each time.
    if (!change.table && first < this.#front && !this.#fight.strike(performance.now())) {
      this.#inForce = false;
      return this.#state.gaveUpBeingFirst(by);
    }
    this.#front = Math.min(this.#front, first);
    if (change.table) await this.#makeAll(plan);
    else adjustRouting(plan);
    this.#state.followed(this.#wanted?.config === this.#loaded.config ? "network" : "config", plan, change);
    this.#settle(plan);
  }

  /** Makes rules and routing those of the plan. Returns where they are. */
  async #makeAll(plan: Plan): Promise<string> {
    const { readTextFile, life } = this.#options;
    const { place } = await install({ plan, config: this.#loaded.config }, readTextFile, { seamless: true });
    life.once();
    return place;
  }

  /** `found`: what a look for the same has found just now. */
  async #lookAndTell(plan: Plan, found?: Found): Promise<void> {
    const onTrial = await this.#trialGoesOn();
    const wanted = { plan, config: this.#loaded.config };
    const { presence, isOfAnother } = found ?? await this.#look(wanted).catch((error) => {
      // Nothing speaks against it.
      this.#isOfAnother ??= false;
      this.#adoptLive(plan);
      throw error;
    });
    // After a trial the rules are those that are known to be ours, of the network as it was.
    if (!onTrial || !this.#mends) this.#wanted = wanted;
    this.#isOfAnother = isOfAnother;
    this.#adoptLive(plan);
    if (presence === "whole" && !onTrial) return this.#settle(plan);
    this.#inForce = false;
    if (onTrial) return this.#state.onTrial({ isOfAnother });
    this.#state.wrong(presence, isOfAnother);
  }

  /** The kernel has what the plan wants. */
  #settle(plan: Plan): void {
    this.#wanted = { plan, config: this.#loaded.config };
    this.#inForce = this.#mends = true;
    this.#state.right(plan);
  }

  /** A failure is said; the proxy goes on with the rules that are there. */
  #guard(work: () => Promise<void>): Promise<void | undefined> {
    const done = this.#work.then(() => this.#attempt(work));
    this.#work = done;
    return done;
  }

  /** Returns what the work comes to; undefined, and said, where it fails. */
  async #attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await work();
      this.#failed = false;
      return result;
    } catch (error) {
      this.#failed = true;
      this.#state.failed(error);
      return undefined;
    }
  }
}

/** The proxy's half of a config has no trial: it would be in force beside the former rules. */
function duringTrial(): OperationError {
  return new OperationError({
    operation: "change",
    object: "rules",
    reason: "an install is on trial",
    hint: '"tproxy confirm" keeps it; reload after that, or when the trial is over',
  });
}
