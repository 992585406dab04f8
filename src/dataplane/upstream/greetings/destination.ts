/**
 * Destinations as a proxy is told them: by address, or by name. Pure.
 * @module
 */
import type { Target } from "./greeting.ts";

/** `send`: the form in which a proxy is told the destination. */
export type Sends = "address" | "name";

const LONGEST_NAME = 253;
const NAME = /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/i;
/** The last label of an address, in any of the forms that inet_aton(3) knows. */
const NUMBER = /(^|\.)(\d+|0x[0-9a-f]*)$/i;

/**
 * The name that a proxy is told, null: the address. A name that is none, or that a resolver would take for an
 * address, is not passed on: a client may say anything.
 */
export function nameToSend({ name }: Pick<Target, "name">, sends: Sends): string | null {
  if (sends === "address" || name === null || name.length > LONGEST_NAME) return null;
  return NAME.test(name) && !NUMBER.test(name) ? name : null;
}
