/**
 * The reason why a file could not be read, in words.
 * @module
 */
import { errnoNumber, errnoText } from "../../net/errno.ts";

/** Words an error of Deno's. */
export function readReason(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const known = typeof code === "string" && /^E[A-Z]+$/.test(code);
  return known ? `${code} (${errnoText(errnoNumber(code))})` : String(message ?? error);
}
