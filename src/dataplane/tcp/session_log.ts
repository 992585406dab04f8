/**
 * Describes a session in the log. The description is made for the line alone: most connections never have
 * one.
 * @module
 */
import { readSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import type { Logger } from "../../log.ts";
import { errnoCode } from "../../net/errno.ts";
import { formatEndpoint } from "../../net/ip.ts";
import type { Session } from "./session.ts";

/** Writes a line about a session at level debug. `error`: an errno, 0 for none. */
export function logSession(log: Logger, session: Session, message: string, error: number): void {
  if (!log.enabled("debug")) return;
  const client = formatEndpoint(readSockaddr(session.client));
  const destination = formatEndpoint(readSockaddr(session.destination));
  const name = session.name === null ? {} : { name: session.name };
  log.debug(message, { client, destination, ...name, ...(error === 0 ? {} : { error: errnoCode(error) }) });
}
