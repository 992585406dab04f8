/**
 * Names of live connections, as the control socket gives and takes them: `t0.12.345`. No other has that name
 * for two thousand million that come to its place. Pure.
 * @module
 */
import type { SessionKey, SessionProtocol } from "../../../dataplane/shared/session_key.ts";

const LETTERS: Readonly<Record<SessionProtocol, string>> = { tcp: "t", udp: "u" };
const ID = /^([tu])(\d{1,3})\.(\d{1,7})\.(\d{1,10})$/;

/** Writes a name. */
export function formatId({ worker, protocol, slot, tag }: SessionKey): string {
  return `${LETTERS[protocol]}${worker}.${slot}.${tag}`;
}

/** Reads a name; undefined: it is none. */
export function parseId(text: string): SessionKey | undefined {
  const match = ID.exec(text);
  if (match === null) return undefined;
  const [worker, slot, tag] = match.slice(2).map(Number);
  return { worker, protocol: match[1] === LETTERS.tcp ? "tcp" : "udp", slot, tag };
}
