/**
 * A route of the control socket: one file in routes/, and one line in routes.ts.
 * @module
 */
import type { Handover } from "../handover/handover.ts";
import type { PredecessorFate } from "../handover/predecessor.ts";
import type { Proxy } from "../proxy.ts";
import type { AnswerHead } from "./http/answer.ts";
import type { BrowserUse } from "./guard.ts";
import type { HttpRequest } from "./http/request.ts";
import type { RateWatch } from "./rates.ts";

/** Facts of the program that do not change while it runs. */
export interface ProgramFacts {
  /** Version of the program. */
  readonly program: string;
  /** Its power: user, capabilities, filters. */
  readonly privileges: string;
}

/** The proxy that is asked, and what it was started as. */
export interface Subject extends ProgramFacts {
  readonly proxy: Proxy;
  readonly handover: Pick<Handover, "begin" | "refusalOf">;
  /** Milliseconds of CLOCK_MONOTONIC. */
  readonly started: number;
  readonly rates: Pick<RateWatch, "rates">;
  /** The proxy that it has taken over from; absent: none. */
  readonly predecessor?: { readonly fate: PredecessorFate } | undefined;
}

/** An answer: its body whole, or in parts, which are asked for as fast as the other side takes them. */
export type ControlAnswer =
  & AnswerHead
  & ({ readonly body: string } | {
    /** `signal`: the other side is gone, or the proxy ends. */
    readonly parts: (signal: AbortSignal) => AsyncIterable<string>;
  });

/** A route. */
export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Use by browsers; default: none. */
  readonly browsers?: BrowserUse;
  /** Answers. An OperationError is told to who has asked: 422 where the request makes no sense, else 500. */
  answer(request: HttpRequest, subject: Subject): ControlAnswer | Promise<ControlAnswer>;
}

/** The media type of lines of JSON. */
export const NDJSON = "application/x-ndjson";

/** Answers with JSON: an object with the `version` of its form. */
export function json(
  content: object,
  status = 200,
): ControlAnswer {
  return { status, type: "application/json", body: `${JSON.stringify(content)}\n` };
}

/** Answers with an error: `{ "version": 1, "error": "…" }`. */
export function failure(status: number, error: string): ControlAnswer {
  return json({ version: 1, error }, status);
}
