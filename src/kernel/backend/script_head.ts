/**
 * Comments and the head of a script that does what an install does, the same for every backend. Pure.
 * @module
 */
import { oneLine } from "../../net/one_line.ts";
import type { Plan } from "../plan/model.ts";

/** Writes a line of comment: names in it are the administrator's, and must not end it. */
export function commentLine(text: string): string {
  return `# ${oneLine(text)}`;
}

/** Renders what the script is for. `origin` names the config. */
export function renderScriptHead(plan: Plan, { origin }: { origin: string }): string[] {
  return [
    "#!/bin/sh",
    commentLine(`What "tproxy install" does on this router, with the config of: ${origin}`),
    "# It can be run (sh FILE), also twice, and gives the same state of the kernel. No sysctl is changed.",
    "# It is the set-up of the kernel's page on TPROXY (Documentation/networking/tproxy.rst), whose lines stand above ours as",
    '# "page: …". What differs has its reason beside it.',
    commentLine(`Clients are intercepted on: ${plan.lan.join(", ")}`),
    ...plan.warnings.map((warning) => commentLine(`Warning: ${warning}`)),
    "set -e",
    "",
  ];
}
