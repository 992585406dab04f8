/**
 * The survey of the router that workers dial by: whether ways depend on more than the destination, and
 * whether the router's own filters may drop what is dialled.
 * @module
 */
import type { RouteBoard } from "../../dataplane/routes/route_board.ts";
import { outputMayDrop, passageObstacle } from "../../kernel/output_filters.ts";
import { chooseRulePriority } from "../../kernel/plan/rule_priority.ts";
import { firstForeignRule, isPin } from "../../kernel/routing/ours.ts";
import { ifFamilyExists, readAllRules } from "../../kernel/routing/rules.ts";
import { judgeRouting } from "../../kernel/routing/simplicity.ts";
import type { Logger } from "../../log.ts";
import { OperationError } from "../../net/error.ts";
import { FAMILIES } from "../../net/families.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { listRoutes } from "../../netlink/route/route.ts";
import { addRule, deleteRule, type RoutingRule } from "../../netlink/route/rule.ts";
import { openNetlink } from "../../netlink/transport.ts";
import type { NetworkChange } from "../network/change.ts";

/** Parts that it works with. */
export interface SurveyOptions {
  readonly board: RouteBoard;
  /** The bit of the mark of what is pinned; 0: there is none. */
  readonly mark: number;
  readonly log: Logger;
  /** Throws Deno's errors. */
  readonly readTextFile: (path: string) => string;
}

/** A running proxy's surveyor. */
export class Survey {
  readonly #options: SurveyOptions;
  /** Rules that workers have made, as they were last. */
  #pins: readonly RoutingRule[] = [];
  /** Fact that the obstacle has been told: once is enough. */
  #warned = false;

  constructor(options: SurveyOptions) {
    this.#options = options;
  }

  /** Begins: what an earlier proxy has left goes, and all is looked at. */
  begin(): void {
    this.#attempt(() => this.#removePins());
    this.look();
  }

  /** Looks again at what has changed; without a change, at everything. */
  look(change?: NetworkChange): void {
    if (change === undefined || change.plan || change.rules) this.#attempt(() => this.#lookAtRoutes());
    if (change === undefined || change.firewall) this.#attempt(() => this.#lookAtOutput());
  }

  /** Takes its rules away: nobody dials any more. */
  end(): void {
    this.#options.board.write(null);
    this.#attempt(() => this.#removePins());
  }

  #lookAtRoutes(): void {
    const { board, mark } = this.#options;
    using route = openNetlink("route");
    const rules = readAllRules(route);
    const routes = FAMILIES.flatMap((family) => ifFamilyExists(() => listRoutes(route, { family })));
    const { simple, byPort } = judgeRouting(rules, routes);
    const first = firstForeignRule(rules);
    const priority = chooseRulePriority(first === undefined ? {} : { firstForeignRule: first });
    this.#keepPins(route, rules);
    board.write(simple ? null : { byPort, priority, mark });
  }

  #lookAtOutput(): void {
    const { board, log, readTextFile } = this.#options;
    using netfilter = openNetlink("netfilter");
    const mayDrop = outputMayDrop({ netfilter, readTextFile });
    board.writeOutput(mayDrop);
    const obstacle = mayDrop && !this.#warned ? passageObstacle(netfilter) : undefined;
    if (obstacle === undefined) return;
    this.#warned = true;
    log.warn(
      "the router's own rules may drop what is dialled for its clients, and it cannot be marked as allowed",
      { reason: obstacle },
    );
  }

  /** Makes those again that others have removed: live connections go by them. */
  #keepPins(route: NetlinkConnection, rules: readonly RoutingRule[]): void {
    const there = rules.filter(isPin);
    const lost = this.#pins.filter((pin) => !there.some((other) => sameWay(pin, other)));
    for (const pin of lost) this.#attempt(() => addRule(route, pin));
    this.#pins = [...there, ...lost];
  }

  #removePins(): void {
    using route = openNetlink("route");
    for (const pin of readAllRules(route).filter(isPin)) this.#attempt(() => deleteRule(route, pin));
    this.#pins = [];
  }

  /** Without privilege, or in a race with others, the proxy goes on as it did. */
  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.#options.log.debug("the survey of the router's routing has failed", { reason: error.message });
    }
  }
}

function sameWay(a: RoutingRule, b: RoutingRule): boolean {
  return a.family === b.family && a.table === b.table && a.oifname === b.oifname;
}
