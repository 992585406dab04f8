/**
 * Asks a running proxy by its control socket.
 * @module
 */
import { joinBytes } from "../../net/bytes.ts";
import { EACCES } from "../../net/errno.ts";
import { OperationError } from "../../net/error.ts";
import { ResponseReader } from "./http/response.ts";

/** Milliseconds in which a proxy begins to answer, and goes on, if it is not asked for more. */
const PATIENCE_MS = 5000;
const READ_BYTES = 65_536;
/** Bytes of the longest answer that is kept whole: some 100,000 connections. */
const MOST_BYTES = 64 << 20;
const OPERATION = "ask the proxy at";

/** A question. */
export interface ControlQuestion {
  readonly method: "GET" | "POST";
  /** Path and query. */
  readonly target: string;
  /** JSON; none with GET. */
  readonly body?: string;
  /** The answer is a stream that may be silent for any time. */
  readonly waits?: boolean;
  /** Milliseconds in which the answer begins, and goes on. */
  readonly patienceMs?: number;
}

/** An answer. */
export interface ControlReply {
  readonly status: number;
  readonly text: string;
}

/**
 * Asks, and returns the whole answer; undefined: nobody is there. Throws an OperationError where somebody is
 * who does not answer.
 */
export async function askControl(path: string, question: ControlQuestion): Promise<ControlReply | undefined> {
  const reader = new ResponseReader();
  const parts = await openControl(path, question, reader);
  if (parts === undefined) return undefined;
  const bytes: Uint8Array[] = [];
  let length = 0;
  for await (const part of parts) {
    length += part.length;
    if (length > MOST_BYTES) throw unasked(path, `its answer is longer than ${MOST_BYTES >> 20} MiB`);
    bytes.push(part);
  }
  return { status: reader.status, text: new TextDecoder().decode(joinBytes(bytes)) };
}

/** Asks, and returns the body as it comes; undefined: nobody is there. `reader` has the status then. */
export async function openControl(
  path: string,
  question: ControlQuestion,
  reader: ResponseReader,
): Promise<AsyncGenerator<Uint8Array> | undefined> {
  const conn = await connect(path);
  return conn === undefined ? undefined : converse(conn, { path, question, reader });
}

async function connect(path: string): Promise<Deno.UnixConn | undefined> {
  try {
    return await Deno.connect({ transport: "unix", path });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused) {
      return undefined;
    }
    if (error instanceof Deno.errors.PermissionDenied) throw forbidden(path);
    throw unasked(path, error instanceof Error ? error.message : String(error));
  }
}

async function* converse(
  conn: Deno.UnixConn,
  { path, question, reader }: { path: string; question: ControlQuestion; reader: ResponseReader },
): AsyncGenerator<Uint8Array> {
  let late = false;
  const { patienceMs = PATIENCE_MS } = question;
  const within = async <T>(work: () => Promise<T>): Promise<T> => {
    if (question.waits === true && reader.status > 0) return await work();
    const timer = setTimeout(() => {
      late = true;
      conn.close();
    }, patienceMs);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
    }
  };
  try {
    const bytes = new TextEncoder().encode(formatQuestion(question));
    for (let at = 0; at < bytes.length;) at += await within(() => conn.write(bytes.subarray(at)));
    const buffer = new Uint8Array(READ_BYTES);
    while (!reader.isWhole) {
      const length = await within(() => conn.read(buffer));
      if (length === null) throw unasked(path, "the answer ends in its midst");
      const part = reader.add(buffer.subarray(0, length));
      if (part === undefined) throw unasked(path, "this is no answer of a proxy");
      if (part.length > 0) yield part;
    }
  } catch (error) {
    if (error instanceof OperationError) throw error;
    throw late ? silent(path, patienceMs / 1000) : unasked(path, String(error));
  } finally {
    if (!late) conn.close();
  }
}

function formatQuestion({ method, target, body }: ControlQuestion): string {
  const fields = body === undefined
    ? ""
    : `content-type: application/json\r\ncontent-length: ${new TextEncoder().encode(body).length}\r\n`;
  return `${method} ${target} HTTP/1.1\r\nhost: localhost\r\n${fields}\r\n${body ?? ""}`;
}

function unasked(path: string, reason: string): OperationError {
  return new OperationError({ operation: OPERATION, object: path, reason });
}

function forbidden(path: string): OperationError {
  const hint = "The control socket is root's: try sudo";
  return new OperationError({ operation: OPERATION, object: path, errno: EACCES, hint });
}

/** A proxy that is stopped, or hangs: the kernel takes connections for it. */
function silent(path: string, seconds: number): OperationError {
  return new OperationError({
    operation: OPERATION,
    object: path,
    reason: `nothing comes for ${seconds} s`,
    hint: 'It is stopped, or hangs: "tproxy status" names its process',
    unanswered: true,
  });
}
