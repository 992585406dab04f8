/**
 * Answers of HTTP/1.1, as they go out: with a length, or in chunks where it is not known. Each ends its
 * connection. Pure.
 * @module
 */

import { joinBytes } from "../../../net/bytes.ts";

/** Reasons by status (RFC 9110, 15). */
const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
};

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number;
  /** Media type of the body. */
  readonly type: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const encoder = new TextEncoder();

/** Writes a whole answer. */
export function wholeAnswer(head: AnswerHead, body: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  return joinBytes([encoder.encode(formatHead(head, `content-length: ${bytes.length}`)), bytes]);
}

/** Writes the head of an answer whose body comes in chunks. */
export function streamHead(head: AnswerHead): Uint8Array<ArrayBuffer> {
  return encoder.encode(formatHead(head, "transfer-encoding: chunked"));
}

/** Writes a chunk; the last one is empty. */
export function chunk(text: string): Uint8Array<ArrayBuffer> {
  const bytes = encoder.encode(text);
  return joinBytes([encoder.encode(`${bytes.length.toString(16)}\r\n`), bytes, encoder.encode("\r\n")]);
}

function formatHead({ status, type, headers = {} }: AnswerHead, framing: string): string {
  const fields = [
    `content-type: ${type}`,
    framing,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    "cache-control: no-store",
    "x-content-type-options: nosniff",
    // Pages of others neither show it in a frame nor read it as a picture or a script.
    "x-frame-options: DENY",
    "cross-origin-resource-policy: same-origin",
    "connection: close",
  ];
  return `HTTP/1.1 ${status} ${REASONS[status] ?? "Unknown"}\r\n${fields.join("\r\n")}\r\n\r\n`;
}
