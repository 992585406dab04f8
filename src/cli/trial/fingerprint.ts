/**
 * The fingerprint of a config: a trial is confirmed for the config that was tried.
 * @module
 */
import type { LoadedConfig } from "../../config/load.ts";
import { hexBytes } from "../../net/hex.ts";

/** Makes it of all that a config says. */
export async function fingerprint({ config }: LoadedConfig): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify(config));
  return hexBytes(new Uint8Array(await crypto.subtle.digest("SHA-256", text)));
}
