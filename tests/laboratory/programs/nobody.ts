/**
 * Programs as nobody, who has no capabilities.
 * @module
 */
import type { Lab } from "../lab.ts";

/** Names the command that runs a program so, fit to read the laboratory. Options of setpriv may follow. */
export function asNobody(lab: Lab): string[] {
  const nobody = 65534;
  // The single file unpacks only where nobody else can write; by itself into /tmp, where it would stay.
  const cache = `${lab.directory}/nobody`;
  Deno.mkdirSync(cache, { recursive: true, mode: 0o700 });
  Deno.chownSync(cache, nobody, nobody);
  Deno.chmodSync(lab.directory, 0o711);
  return ["env", `TPROXY_CACHE_DIR=${cache}`, "setpriv", `--reuid=${nobody}`, "--clear-groups"];
}
