/**
 * The rules of the backend iptables. Pure.
 * @module
 */
import type { Compiler } from "../backend/compiler.ts";
import { compileIptables } from "./compile/compile.ts";
import { warnLongLists } from "./long_lists.ts";
import { describeIptablesFailure } from "./on_failure.ts";
import { renderIptablesScript } from "./script.ts";

/** See the module. */
export const IPTABLES_COMPILER: Compiler = {
  name: "iptables",
  format: "iptables",
  needsRoot: true,
  compile(plan) {
    const rules = compileIptables(plan);
    return {
      script: ({ origin }) => renderIptablesScript(plan, { origin, iptables: rules }),
      document: { iptables: rules },
    };
  },
  warnings: ({ intent }) => warnLongLists(intent.scope.ruleSets),
  describeFailure: describeIptablesFailure,
};
