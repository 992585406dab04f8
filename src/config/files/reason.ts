/**
 * The reason why a file could not be read, in words.
 * @module
 */
import { errnoNumber, errnoText } from "../../net/errno.ts";

/** Words an error of Deno's. */
export function readReason(error: unknown): string {
  const code = errorCode(error);
  if (code !== undefined) return `${code} (${errnoText(errnoNumber(code))})`;
  return String((error as { message?: unknown }).message ?? error);
}

/** The name of the error's number, as Deno tells it: `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === "string" && /^E[A-Z]+$/.test(code) ? code : undefined;
}
