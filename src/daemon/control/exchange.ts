/**
 * One connection: a request, its answer, the end. A slow one is cut off.
 * @module
 */
import { OperationError } from "../../net/error.ts";
import { chunk, streamHead, wholeAnswer } from "./http/answer.ts";
import { type HttpRefusal, type HttpRequest, RequestReader } from "./http/request.ts";
import { type Hosts, refusalOf } from "./guard.ts";
import { type ControlAnswer, failure, type Route, type Subject } from "./route.ts";

/** Milliseconds for a whole request. */
const REQUEST_MS = 5000;
/** Milliseconds in which the other side must take something of an answer. */
const TAKE_MS = 30_000;
const READ_BYTES = 4096;

/** A listener, as those see it who connect. */
export interface Door {
  readonly hosts: Hosts;
  readonly routes: readonly Route[];
}

/** A connection. */
export class Exchange {
  /** The request has not come whole. */
  isWaiting = true;
  readonly #conn: Deno.Conn;
  readonly #door: Door;
  readonly #gone = new AbortController();

  constructor(conn: Deno.Conn, door: Door) {
    this.#conn = conn;
    this.#door = door;
  }

  /** Answers its request. Resolves when the connection has ended; rejects where a defect of ours ended it. */
  async serve(subject: Subject): Promise<void> {
    try {
      const request = await this.#within(REQUEST_MS, () => this.#read());
      if (request === undefined) return;
      this.isWaiting = false;
      await this.#write(await answer(request, this.#door, subject));
    } catch (error) {
      // The other side has gone, or was cut off: nobody is left to be told.
      if (!isOfTheConnection(error)) throw error;
    } finally {
      this.end();
    }
  }

  /** Says that there is no room, as far as the socket takes it at once. */
  async turnAway(): Promise<void> {
    try {
      await this.#within(REQUEST_MS, () => this.#write(failure(503, "too many ask at once")));
    } catch (error) {
      if (!isOfTheConnection(error)) throw error;
    } finally {
      this.end();
    }
  }

  /** Ends the connection at once. Safe to call again. */
  end(): void {
    if (this.#gone.signal.aborted) return;
    this.#gone.abort();
    this.#conn.close();
  }

  /** Reads the request; undefined: it never came. */
  async #read(): Promise<HttpRequest | HttpRefusal | undefined> {
    const reader = new RequestReader();
    const buffer = new Uint8Array(READ_BYTES);
    for (;;) {
      const length = await this.#conn.read(buffer);
      if (length === null) return undefined;
      const request = reader.add(buffer.subarray(0, length));
      if (request !== undefined) return request;
    }
  }

  async #write(answer: ControlAnswer): Promise<void> {
    if ("body" in answer) return await this.#send(wholeAnswer(answer, answer.body));
    await this.#send(streamHead(answer));
    this.#watchForEnd();
    for await (const part of answer.parts(this.#gone.signal)) {
      if (part !== "") await this.#send(chunk(part));
    }
    await this.#send(chunk(""));
  }

  async #send(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let rest = bytes; rest.length > 0;) {
      const written = await this.#within(TAKE_MS, () => this.#conn.write(rest));
      rest = rest.subarray(written);
    }
  }

  /** Sees the end of who reads a stream, which may have no next part for long; he says nothing more. */
  #watchForEnd(): void {
    const buffer = new Uint8Array(1);
    this.#conn.read(buffer).then((length) => {
      if (length === null) this.end();
    }, () => this.end());
  }

  /** Cuts the connection off where the work takes longer. */
  async #within<T>(milliseconds: number, work: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.end(), milliseconds);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
    }
  }
}

async function answer(
  request: HttpRequest | HttpRefusal,
  { hosts, routes }: Door,
  subject: Subject,
): Promise<ControlAnswer> {
  if ("reason" in request) return failure(request.status, request.reason);
  const found = routes.filter(({ path }) => path === request.path);
  const route = found.find(({ method }) => method === request.method);
  const refusal = refusalOf(request, hosts, route?.browsers ?? "none");
  if (refusal !== undefined) return failure(403, refusal);
  if (found.length === 0) return failure(404, "there is no such path");
  if (route === undefined) return failure(405, `it takes ${found.map(({ method }) => method).join(", ")}`);
  try {
    return await route.answer(request, subject);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return failure(error.usage ? 422 : 500, error.message);
  }
}

function isOfTheConnection(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.NotConnected;
}
