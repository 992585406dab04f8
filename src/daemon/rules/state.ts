/**
 * The state of the rules in words: for the log when it changes, and for the service manager's line.
 * @module
 */
import type { ObjectStatus } from "../../kernel/backend/object_status.ts";
import type { Plan } from "../../kernel/plan/model.ts";
import type { PlanChange, Presence } from "../../kernel/presence.ts";
import type { Logger } from "../../log.ts";
import { describeFailure, OperationError, type OperationFailure } from "../../net/error.ts";
import { Repeated } from "./repeated.ts";

/** Objects that a line names. */
const SHOWN = 3;
const INSTALL_HINT = 'run "tproxy install"';

/** See the module. */
export class RulesState {
  /** A few words. */
  text = "rules not looked at yet";
  readonly #log: Logger;
  readonly #said: Repeated;

  constructor(log: Logger) {
    this.#log = log;
    this.#said = new Repeated(log);
  }

  /** This program has installed them. */
  installed({ lan, warnings }: Plan, place: string): void {
    this.#log.info("the rules are installed", { interfaces: lan.join(","), place });
    for (const warning of warnings) this.#said.warn(warning, warning);
  }

  /** Notes that the rules have changed after `leader`. */
  followed(leader: "network" | "config", { lan }: Plan, change: PlanChange): void {
    this.#log.info(`the rules follow the ${leader}`, {
      interfaces: lan.join(","),
      ...describeChange(change),
    });
  }

  /** Something was missing and is there again. `by`: who has removed it, where the kernel tells. */
  mended(missing: readonly ObjectStatus[], by: string | undefined): void {
    const names = missing.map(({ kind, name }) => `${kind} ${name}`);
    this.#log.warn("rules were missing and are there again", {
      ...(by === undefined ? {} : { "removed-by": by }),
      missing: names.slice(0, SHOWN).join("; ") +
        (names.length > SHOWN ? `; ${names.length - SHOWN} more` : ""),
    });
  }

  /** Another program removes the rules each time. */
  gaveUp(by: string | undefined): void {
    const who = by ?? "another program";
    this.text = `rules given up: ${who} removes them again and again`;
    this.#said.warn(
      "fight",
      "another program removes the rules again and again: they are left alone for 10 min",
      {
        ...(by === undefined ? {} : { "removed-by": by }),
        remedy: "stop the other program, or keep it from these rules",
      },
    );
  }

  /** Another program puts routing rules before ours each time. */
  gaveUpBeingFirst(by: string | undefined): void {
    const who = by ?? "another program";
    this.text = `not the first routing rules: ${who} puts its own before them again and again`;
    this.#said.warn(
      "fight",
      "another program puts routing rules before ours again and again: ours stay where they are for 10 min",
      {
        ...(by === undefined ? {} : { "put-by": by }),
        remedy: "stop the other program, or let it have a priority behind these rules",
      },
    );
  }

  /** Rules are on trial. `isOfAnother`: those, as {@linkcode wrong} has it. */
  onTrial({ isOfAnother }: { readonly isOfAnother: boolean }): void {
    this.text = "rules on trial";
    this.#said.warn("trial", "an install is on trial: nothing is mended until that is over", {
      "new-flows": isOfAnother
        ? "left to on-failure: it is for another listener.port or kernel.mark"
        : "taken",
      remedy: '"tproxy confirm" keeps it',
    });
  }

  /** Nobody has confirmed them. */
  trialOver(): void {
    this.#said.forgetAll();
    this.#log.warn("the trial is over: what was there before it holds again");
  }

  /** The kernel has what the plan wants. */
  right({ lan }: Plan): void {
    this.text = `rules for ${lan.join(", ")}`;
    this.#said.forgetAll();
  }

  /** The kernel has something else. `isOfAnother`: no flow that these rules name can be served. */
  wrong(presence: Presence, isOfAnother: boolean): void {
    if (isOfAnother) return this.#ofAnother();
    const gone = presence === "none" || presence === "flushed";
    this.text = gone ? `no rules: ${INSTALL_HINT}` : `rules of another config or network: ${INSTALL_HINT}`;
    this.#said.warn(
      "presence",
      gone
        ? "no rules are installed: nothing is intercepted"
        : "the rules in the kernel are not those of this config and network: they are left alone",
      { remedy: INSTALL_HINT },
    );
  }

  #ofAnother(): void {
    this.text = "rules for another listener.port or kernel.mark: new flows are left to on-failure";
    this.#said.error(
      "presence",
      "the rules in the kernel are for another listener.port or kernel.mark: no new flow is taken, on-failure says " +
        "what becomes of them",
      { remedy: `${INSTALL_HINT} with this config, or end this proxy and run the one that they are for` },
    );
  }

  /** The network allows rules, or allows them again. */
  possible(): void {
    this.#said.forget("plan");
  }

  /** The network allows none. `kept`: there are some, of the network as it was. */
  impossible(error: OperationError, { kept }: { readonly kept: boolean }): void {
    const message = kept
      ? "the rules stay as they are while the network is incomplete"
      : "no rules can be made yet, they are when the network allows it";
    if (!kept) this.text = `no rules yet: ${reasonOf(error)}`;
    this.#said.warn("plan", message, { reason: describeFailure(withoutHint(error)) });
  }

  /**
   * Notes that the rules could not be looked at, or not be changed. A defect of ours must not end a proxy
   * that works.
   */
  failed(error: unknown): void {
    if (!(error instanceof OperationError)) {
      this.text = "rules not changed: unexpected error";
      this.#said.warn("failure", "unexpected error with the rules, please report it", {
        trace: stackOf(error),
      });
      return;
    }
    const powerless = error.code === "EPERM" || error.code === "EACCES";
    this.text = powerless
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
