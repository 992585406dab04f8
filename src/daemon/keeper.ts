/**
 * Keeps the rules in the kernel right while interfaces and default routes come, go and move.
 *
 * It changes only what is known to be an install of this very config: before each change the kernel must still have what this network
 * wanted until now. So an `uninstall`, and an `install` of another config, hold while it runs.
 * @module
 */
import type { LoadedConfig } from "../config/load.ts";
import { adjustRouting, install, readStatus } from "../kernel/backends.ts";
import type { Life } from "../kernel/liveness/life.ts";
import type { Plan } from "../kernel/plan/model.ts";
import { preparePlan } from "../kernel/prepare.ts";
import { comparePlans, judgePresence, type PlanChange, type Presence } from "../kernel/presence.ts";
import type { Logger } from "../log.ts";
import { describeFailure, OperationError, type OperationFailure } from "../net/error.ts";
import { Repeated } from "./repeated.ts";

/** What it works with. */
export interface KeeperOptions {
  readonly loaded: LoadedConfig;
  /** Make the first install, as soon as the network allows it. */
  readonly installs: boolean;
  readonly life: Life;
  readonly log: Logger;
  /** Throws Deno's errors. */
  readonly readTextFile: (path: string) => string;
}

const INSTALL_HINT = 'run "tproxy install"';

/** See the module. */
export class RulesKeeper {
  /** How the rules are, in a few words. */
  state = "rules not looked at yet";
  readonly #options: KeeperOptions;
  readonly #said: Repeated;
  /** What this network wants, as of the last look. */
  #plan: Plan | undefined;
  /** An install is to be made that nobody has made yet. */
  #due: boolean;
  /** The kernel has what this network wants, as far as is known. */
  #inForce = false;
  /** The last attempt at a change has failed. */
  #failed = false;
  /** One look after another. */
  #work: Promise<void> = Promise.resolve();

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#due = options.installs;
    this.#said = new Repeated(options.log);
  }

  /** Looks for the first time: installs if it is to, says what is there if not. Never throws what an administrator could mend. */
  begin(): Promise<void> {
    return this.#guard(async () => {
      const plan = this.#prepare();
      if (plan === undefined) return;
      if (this.#due) return await this.#install(plan);
      await this.#lookAndTell(plan);
    });
  }

  /** Looks again, now and then, where the last look was no good: somebody may have installed, or what failed may succeed. */
  async again(): Promise<void> {
    if (this.#failed) return await this.networkChanged();
    const plan = this.#plan;
    if (!this.#inForce && plan !== undefined) await this.#guard(() => this.#lookAndTell(plan));
  }

  /** Plans again after the network has changed, and changes what differs. */
  networkChanged(): Promise<void> {
    return this.#guard(async () => {
      const plan = this.#prepare();
      if (plan === undefined) return;
      if (this.#due) return await this.#install(plan);
      const before = this.#plan;
      const change = before === undefined ? undefined : comparePlans(before, plan);
      if (before === undefined || change === undefined) return await this.#lookAndTell(plan);
      const presence = await this.#look(before);
      if (presence === "whole") return await this.#adjust(plan, change);
      if (presence === "flushed" && this.#options.installs) return await this.#install(plan);
      await this.#lookAndTell(plan);
    });
  }

  /** What the network wants now; undefined, and said, where it wants nothing that can be had. */
  #prepare(): Plan | undefined {
    try {
      const { loaded, readTextFile } = this.#options;
      const plan = preparePlan(loaded, readTextFile, { absentInterfaces: true });
      this.#said.forget("plan");
      return plan;
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      const kept = !this.#due && this.#plan !== undefined;
      const message = kept
        ? "the rules stay as they are while the network is incomplete"
        : "no rules can be made yet, they are when the network allows it";
      if (!kept) this.state = `no rules yet: ${reasonOf(error)}`;
      this.#said.warn("plan", message, { reason: describeFailure(withoutHint(error)) });
      return undefined;
    }
  }

  async #look(plan: Plan): Promise<Presence> {
    const { loaded: { config }, readTextFile } = this.#options;
    return judgePresence((await readStatus({ plan, config }, readTextFile)).objects);
  }

  async #install(plan: Plan): Promise<void> {
    const { loaded: { config }, readTextFile, life, log } = this.#options;
    const { place } = await install({ plan, config }, readTextFile);
    life.once();
    this.#due = false;
    log.info("the rules are installed", { interfaces: plan.lan.join(","), place });
    this.#settle(plan);
    for (const warning of plan.warnings) this.#said.warn(warning, warning);
  }

  async #adjust(plan: Plan, change: PlanChange): Promise<void> {
    const { loaded: { config }, readTextFile, life, log } = this.#options;
    if (change.table) {
      await install({ plan, config }, readTextFile);
      life.once();
    } else adjustRouting(plan);
    log.info("the rules follow the network", { interfaces: plan.lan.join(","), ...describeChange(change) });
    this.#settle(plan);
  }

  async #lookAndTell(plan: Plan): Promise<void> {
    const presence = await this.#look(plan);
    this.#plan = plan;
    if (presence === "whole") this.#settle(plan);
    else this.#tell(presence);
  }

  /** The kernel has what the plan wants. */
  #settle(plan: Plan): void {
    this.#plan = plan;
    this.#inForce = true;
    this.state = `rules for ${plan.lan.join(", ")}`;
    this.#said.forgetAll();
  }

  /** Says what is there, once. */
  #tell(presence: Presence): void {
    this.#inForce = false;
    const gone = presence !== "other";
    this.state = gone ? `no rules: ${INSTALL_HINT}` : `rules of another config or network: ${INSTALL_HINT}`;
    this.#said.warn(
      "presence",
      gone
        ? "no rules are installed: nothing is intercepted"
        : "the rules in the kernel are not those of this config and network: they are left alone",
      { remedy: INSTALL_HINT },
    );
  }

  /** A failure is said; the proxy goes on with the rules that are there. */
  #guard(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(() => this.#try(work));
    return this.#work;
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#failed = false;
    } catch (error) {
      this.#failed = true;
      if (!(error instanceof OperationError)) return this.#tellDefect(error);
      const powerless = error.code === "EPERM" || error.code === "EACCES";
      this.state = powerless
        ? "rules left alone: CAP_NET_ADMIN is missing"
        : `rules not changed: ${reasonOf(error)}`;
      this.#said.warn(
        "failure",
        powerless
          ? "without CAP_NET_ADMIN the rules are neither looked at nor changed"
          : "the rules cannot be changed, another attempt follows",
        { reason: error.message },
      );
    }
  }

  /** A defect of ours must not end a proxy that works. */
  #tellDefect(error: unknown): void {
    this.state = "rules not changed: unexpected error";
    this.#said.warn("failure", "unexpected error with the rules, please report it", {
      trace: stackOf(error),
    });
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

function withoutHint({ operation, object, errno, reason }: OperationError): OperationFailure {
  return { operation, object, errno, reason };
}

function reasonOf({ reason, code, message }: OperationError): string {
  return reason.replace(/^kernel: /, "") || code || message;
}

function describeChange(change: PlanChange): Record<string, string> {
  const named: Record<string, readonly string[]> = {
    "clients-added": change.lanAdded,
    "clients-removed": change.lanRemoved,
    "others-added": change.othersAdded,
    "others-removed": change.othersRemoved,
  };
  return Object.fromEntries(
    Object.entries(named).filter(([, names]) => names.length > 0).map((
      [key, names],
    ) => [key, names.join(",")]),
  );
}
