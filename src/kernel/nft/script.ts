/**
 * A plan as one shell script of `nft` and `ip` commands: what `install --dry-run` prints. It gives the same
 * kernel state as install and can be run twice. Pure.
 * @module
 */
import { renderScriptHead } from "../backend/script_head.ts";
import type { Plan } from "../plan/model.ts";
import { renderRouting } from "../routing/render.ts";
import { compileTable } from "./chains.ts";
import { renderNft } from "./render.ts";

/** Renders the script. `origin` names the config. */
export function renderScript(plan: Plan, options: { origin: string }): string {
  const lines = [
    ...renderScriptHead(plan, options),
    ...renderRouting(plan),
    "",
    "nft -f - <<'END'",
    renderNft(compileTable(plan)).trimEnd(),
    "END",
    "",
  ];
  return lines.join("\n");
}
