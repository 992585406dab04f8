/**
 * The plan of an install, as other programs see it. Pure.
 * @module
 */
import { compilerWithFormat } from "../kernel/compilers.ts";
import { renderJson } from "../kernel/json.ts";
import type { Plan } from "../kernel/plan/model.ts";
import type { Family } from "../net/ip.ts";

/** The words in which a plan is written, and its heading. */
export interface ScriptOptions {
  /** The name of the config, for the script's first lines. */
  readonly origin: string;
  /** The language of the rules. Default: nft. */
  readonly format?: "nft" | "iptables";
}

/** All that an install would put into the kernel. */
export class InstallPlan {
  /** Interfaces whose clients are intercepted. */
  readonly lan: readonly string[];
  /** The other ones: replies to sockets with clients' addresses arrive there. */
  readonly others: readonly string[];
  /** Address families that are intercepted. */
  readonly families: readonly Family[];
  /** Facts that the administrator should know, each one sentence without a period. */
  readonly warnings: readonly string[];
  readonly #plan: Plan;

  /** Made by `planInstall` and `planHere`. */
  constructor(plan: Plan) {
    this.#plan = plan;
    this.lan = plan.lan;
    this.others = plan.others;
    this.families = plan.families;
    this.warnings = plan.warnings;
  }

  /** Writes it as a shell script of nft or iptables, and ip. It may be run twice. Throws OperationError. */
  script({ origin, format = "nft" }: ScriptOptions): string {
    return compilerWithFormat(format).compile(this.#plan).script({ origin });
  }

  /**
   * Writes it as JSON, in the shape of `tproxy install --dry-run --format json`: stable, keys are only ever
   * added.
   */
  json(options: { readonly origin: string }): string {
    return renderJson(this.#plan, options);
  }
}
