/**
 * The half of a backend that needs no machine: it says a plan in its rules. Pure.
 * @module
 */
import type { Config } from "../../config/types.ts";
import type { Plan } from "../plan/model.ts";

/** A plan in the rules of a backend. */
export interface CompiledRules {
  /** Writes a shell script that does what an install does. `origin` names the config. */
  script(options: { readonly origin: string }): string;
  /** The keys that this backend adds to the plan as JSON. */
  readonly document: Readonly<Record<string, unknown>>;
}

/** See the module. */
export interface Compiler {
  /** Its name in the config: `kernel.backend`. */
  readonly name: Config["kernel"]["backend"];
  /** Its name where scripts are asked for: the language of its rules. */
  readonly format: "nft" | "iptables";
  /** The proxy must be root: nobody else may tell the rules that it is there. */
  readonly needsRoot: boolean;
  /** Makes rules of a plan. Throws an OperationError where they cannot say it. */
  compile(plan: Plan): CompiledRules;
  /** Says in sentences what is bad about this plan with these rules. */
  warnings(plan: Plan): readonly string[];
  /** Says what these rules cannot keep of `intercept.on-failure`, in words; empty: nothing. */
  describeFailure(config: Config): string;
}
