/**
 * Changes policy routing around a change of the rules, all of it or nothing.
 *
 * Missing entries are added before the rules change: without marked packets they have no effect. Entries that
 * nobody wants any more go after that. So at no moment a packet is marked that no rule would deliver.
 * @module
 */
import { OperationError } from "../../net/error.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { addRule, deleteRule } from "../../netlink/route/rule.ts";
import type { Plan } from "../plan/model.ts";
import { ANNOUNCEMENT, announcesUninstall } from "./announcement.ts";
import { findDifference, type RoutingDifference } from "./compare.ts";
import { readRouting, routeEntry, type RoutingEntry, ruleEntry } from "./state.ts";

/** The surroundings of a change. */
export interface RoutingContext {
  /** rtnetlink. */
  readonly route: NetlinkConnection;
  /** An earlier install is in force. */
  readonly earlier: boolean;
}

/** A change of policy routing that has begun; `finish` or `takeBack` ends it. */
export class RoutingChange {
  readonly #context: RoutingContext;
  readonly #difference: RoutingDifference;
  readonly #added: RoutingEntry[] = [];

  private constructor(difference: RoutingDifference, context: RoutingContext) {
    this.#difference = difference;
    this.#context = context;
  }

  /** Adds what is missing. Throws an OperationError; then what was there before is there again. */
  static begin(plan: Plan, context: RoutingContext): RoutingChange {
    const change = new RoutingChange(findDifference(plan, readRouting(context.route)), context);
    try {
      change.#addMissing();
    } catch (error) {
      throw change.takeBack(error);
    }
    return change;
  }

  /** Removes the entries of an earlier install; one that has gone with its interface is no failure. */
  finish(): void {
    for (const entry of this.#difference.stale) {
      try {
        entry.remove(this.#context.route);
      } catch (error) {
        if (!(error instanceof OperationError)) throw error;
        if (error.code === "ENOENT") continue;
        throw withOutcome(
          error,
          'All new rules are in force; run "tproxy install" again to remove this old one',
        );
      }
    }
  }

  /** Takes back what was added, after this failure of the rules; gives the error to throw. */
  takeBack(error: unknown): unknown {
    const left: string[] = [];
    for (const entry of this.#added.toReversed()) {
      try {
        entry.remove(this.#context.route);
      } catch {
        left.push(entry.label);
      }
    }
    if (!(error instanceof OperationError)) return error;
    const outcome = left.length > 0
      ? `This is left behind and can be removed with "tproxy uninstall": ${left.join("; ")}`
      : this.#context.earlier
      ? "The earlier install is in force as before"
      : "Nothing is installed, the kernel's state is as before";
    return withOutcome(error, outcome);
  }

  #addMissing(): void {
    for (const entry of this.#difference.missing) {
      entry.add(this.#context.route);
      this.#added.push(entry);
    }
  }
}

/**
 * Makes policy routing that of the plan, whose rules are there. Throws an OperationError; then what was there
 * before is there again.
 */
export function applyRouting(plan: Plan, route: NetlinkConnection): void {
  RoutingChange.begin(plan, { route, earlier: true }).finish();
}

/** Removes all that is ours, whatever config it is of; gives what was removed, in words. */
export function removeRouting(route: NetlinkConnection): string[] {
  const removed = removeEntries(route, () => true);
  // Last: until then a running proxy knows that it is an uninstall.
  withdrawUninstall(route);
  return removed;
}

/** Removes those of ours that are `unwanted`; gives what was removed, in words. */
export function removeEntries(
  route: NetlinkConnection,
  unwanted: (entry: RoutingEntry) => boolean,
): string[] {
  const removed: string[] = [];
  const { rules, pins = [], echoes = [], routes } = readRouting(route);
  const installed = rules.filter((rule) => !announcesUninstall(rule));
  const entries = [...[...installed, ...pins, ...echoes].map(ruleEntry), ...routes.map(routeEntry)];
  for (const entry of entries.filter(unwanted)) {
    try {
      entry.remove(route);
      removed.push(entry.label);
    } catch (error) {
      // Someone else was faster.
      if (!(error instanceof OperationError) || !["ENOENT", "ESRCH"].includes(error.code)) throw error;
    }
  }
  return removed;
}

/** Tells a running proxy that an uninstall begins. */
export function announceUninstall(route: NetlinkConnection): void {
  withoutFailure(() => addRule(route, ANNOUNCEMENT));
}

/** Tells a running proxy that no uninstall goes on: it is through, or has failed. */
export function withdrawUninstall(route: NetlinkConnection): void {
  withoutFailure(() => deleteRule(route, ANNOUNCEMENT));
}

/** Nothing depends on it where nobody may change rules, or the kernel has no such rules. */
function withoutFailure(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
  }
}

function withOutcome(error: OperationError, outcome: string): OperationError {
  const { operation, object, errno, reason, usage, hint, missingModule } = error;
  const failure = { operation, object, errno, reason, usage, hint, missingModule, outcome };
  return new OperationError(failure, { cause: error });
}
