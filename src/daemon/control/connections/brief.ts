/**
 * A connection in few bytes, for who looks every second: a row whose facts do not change any more tells its
 * bytes alone. Pure.
 * @module
 */
import type { SessionRow } from "../../../dataplane/shared/books.ts";
import { OPEN } from "../../../dataplane/tcp/stage_numbers.ts";
import { formatId } from "./id.ts";

/** A row in brief. */
export type BriefRow = readonly [id: string, bytesUp: number, bytesDown: number];

/** Tells whether nothing but bytes has changed for so long. `now`: milliseconds since 1970. */
export function isSettled(
  { protocol, stage, started }: Pick<SessionRow, "protocol" | "stage" | "started">,
  now: number,
  milliseconds: number,
): boolean {
  return now - started >= milliseconds && (protocol === "udp" || stage === OPEN);
}

/** Describes a session in brief. */
export function describeBriefly(session: SessionRow): BriefRow {
  return [formatId(session), session.bytesUp, session.bytesDown];
}

/** Reads the time after which rows are told in brief, in milliseconds; none, or no number: never. */
export function readSettled(text: string | null): number {
  return text !== null && /^\d{1,7}$/.test(text) ? Number(text) : Infinity;
}
