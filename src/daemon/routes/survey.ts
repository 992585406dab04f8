/**
 * The survey of the router that workers dial by: whether ways depend on more than the destination, whether
 * the router's own filters may drop what is dialled, and what others change of what the router sends.
 * @module
 */
import type { RouteBoard } from "../../dataplane/routes/route_board.ts";
import { readLegacyNames, readOtherRules } from "../../kernel/other_rules.ts";
import { findOutputChanges } from "../../kernel/output_changes.ts";
import { outputMayDrop, passageObstacle } from "../../kernel/output_filters.ts";
import type { OutputChanges } from "../../kernel/plan/live/options.ts";
import { chooseRulePriority } from "../../kernel/plan/rule_priority.ts";
import { isEcho, planEchoes } from "../../kernel/routing/echoes.ts";
import { firstForeignRule, isPin } from "../../kernel/routing/ours.ts";
import { readAllRoutes } from "../../kernel/routing/routes.ts";
import { readAllRules } from "../../kernel/routing/rules.ts";
import { judgeRouting } from "../../kernel/routing/simplicity.ts";
import type { Logger } from "../../log.ts";
import { OperationError } from "../../net/error.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { addRule, deleteRule, formatRule, type RoutingRule } from "../../netlink/route/rule.ts";
import { openNetlink } from "../../netlink/transport.ts";
import type { NetworkChange } from "../network/change.ts";

/** Parts that it works with. */
export interface SurveyOptions {
  readonly board: RouteBoard;
  /** The bit of the mark of what is pinned; 0: there is none. */
  readonly mark: number;
  /** The bits of the mark of replies to sockets of ours. */
  readonly replyMark: number;
  /** Rules of output have begun to drop: what was sent before workers knew may have been lost. */
  readonly outputCloses: () => void;
  /** Other programs' rules that change what this machine sends, as they are now. */
  readonly outputChanges: (others: OutputChanges) => void;
  readonly log: Logger;
  /** Throws Deno's errors. */
  readonly readTextFile: (path: string) => string;
}

/** A running proxy's surveyor. */
export class Survey {
  readonly #options: SurveyOptions;
  /** Rules that workers have made, as they were last. */
  #pins: readonly RoutingRule[] = [];
  /** Tables of iptables-legacy, as they were last. */
  #legacy = "";
  /** Fact that the obstacle has been told: once is enough. */
  #warned = false;

  constructor(options: SurveyOptions) {
    this.#options = options;
  }

  /**
   * Begins: what an earlier proxy has left goes, and all is looked at. `inherits`: flows of that one go on,
   * and so does what it has left.
   */
  begin(inherits = false): void {
    if (!inherits) this.#attempt(() => this.#removePins());
    this.look();
  }

  /** Looks again at what has changed; without a change, at everything. */
  look(change?: NetworkChange): void {
    if (change === undefined || change.plan || change.rules) this.#attempt(() => this.#lookAtRoutes());
    else if (change.pins) this.#attempt(() => this.#lookAtPins()); // these change nobody's way
    if (change === undefined || change.firewall) this.#attempt(() => this.#lookAtOutput());
  }

  /** Looks at the filters again where iptables-legacy has got or lost a table, of which nobody tells. */
  again(): void {
    if (readLegacyNames(this.#options.readTextFile) !== this.#legacy) {
      this.#attempt(() => this.#lookAtOutput());
    }
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
    const routes = readAllRoutes(route);
    const { simple, byPort } = judgeRouting(rules, routes);
    const first = firstForeignRule(rules);
    const priority = chooseRulePriority(first === undefined ? {} : { firstForeignRule: first });
    this.#keepPins(route, rules);
    this.#keepEchoes(route, rules);
    board.write(simple ? null : { byPort, priority, mark });
  }

  #lookAtPins(): void {
    using route = openNetlink("route");
    this.#keepPins(route, readAllRules(route));
  }

  #lookAtOutput(): void {
    const { board, log, readTextFile, outputCloses, outputChanges } = this.#options;
    using netfilter = openNetlink("netfilter");
    const others = readOtherRules({ netfilter, readTextFile });
    this.#legacy = others.legacy;
    outputChanges(findOutputChanges(others));
    const mayDrop = outputMayDrop(others);
    if (board.writeOutput(mayDrop) && mayDrop) outputCloses();
    const obstacle = mayDrop && !this.#warned ? passageObstacle(netfilter) : undefined;
    if (obstacle === undefined) return;
    this.#warned = true;
    log.warn(
      "the router's own rules may drop or divert what is dialled for clients, and it cannot be marked as allowed",
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

  /** Makes the reverse path check find for replies what it would find without us. */
  #keepEchoes(route: NetlinkConnection, rules: readonly RoutingRule[]): void {
    const wanted = this.#marksAreChecked() ? planEchoes(rules, this.#options.replyMark) : [];
    const there = rules.filter(isEcho);
    const isIn = (some: readonly RoutingRule[], rule: RoutingRule) =>
      some.some((other) => formatRule(other) === formatRule(rule));
    for (const echo of there.filter((rule) => !isIn(wanted, rule))) {
      this.#attempt(() => deleteRule(route, echo));
    }
    for (const echo of wanted.filter((rule) => !isIn(there, rule))) this.#attempt(() => addRule(route, echo));
  }

  #marksAreChecked(): boolean {
    try {
      return this.#options.readTextFile("/proc/sys/net/ipv4/conf/all/src_valid_mark").trim() === "1";
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) {
        return false;
      }
      throw error;
    }
  }

  #removePins(): void {
    using route = openNetlink("route");
    const ours = readAllRules(route).filter((rule) => isPin(rule) || isEcho(rule));
    for (const rule of ours) this.#attempt(() => deleteRule(route, rule));
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
