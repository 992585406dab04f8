/**
 * A plan as one shell script of `nft` and `ip` commands: what `install --dry-run` prints. It gives the same
 * kernel state as install and can be run twice. Pure.
 * @module
 */
import { renderScriptHead } from "../backend/script_head.ts";
import type { Plan } from "../plan/model.ts";
import { renderRouting } from "../routing/render.ts";
import { compileShownLive, compileTable } from "./chains.ts";
import { renderNft, renderTable } from "./render.ts";

/** Renders the script. `origin` names the config. */
export function renderScript(plan: Plan, options: { origin: string }): string {
  const lines = [
    ...renderScriptHead(plan, options),
    ...renderRouting(plan),
    "",
    "nft -f - <<'END'",
    renderNft(compileTable(plan)).trimEnd(),
    "END",
    ...renderLive(plan),
    "",
  ];
  return lines.join("\n");
}

/** Shows the rules of a running proxy, as comments. */
function renderLive(plan: Plan): string[] {
  const table = compileShownLive(plan);
  if (table === undefined) return [];
  return [
    "",
    "# Made by tproxy run, as long as it runs, and gone with it; here for one worker. nft has no words for what",
    '# overwrites fields of packets ("@th,64,32 set …").',
    ...renderTable(table).flatMap((line) => line.split("\n")).map((line) => `# ${line}`.trimEnd()),
  ];
}
