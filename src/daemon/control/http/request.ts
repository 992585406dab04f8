/**
 * Requests of HTTP/1.1 (RFC 9112), as far as the control socket takes them: one a connection, its body with a
 * length. Pure.
 * @module
 */

import { latin1 } from "../../../net/bytes.ts";

/** Bytes of the longest request line with its header. */
export const MOST_HEAD = 8192;
/** Bytes of the longest body. */
export const MOST_BODY = 65_536;

/** A whole request. */
export interface HttpRequest {
  readonly method: string;
  /** The path as it was sent: nothing in it is decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** By name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/** A refusal of bytes that are no request that is taken. */
export interface HttpRefusal {
  readonly status: 400 | 413 | 431 | 501 | 505;
  readonly reason: string;
}

const LINE = /^([A-Z]{1,16}) (\/[\x21-\x7e]*) HTTP\/(\d)\.(\d)$/;
const FIELD = /^([\w!#$%&'*+.^`|~-]+):([\t\x20-\x7e]*)$/;
/** Fields that may stand once: who reads another one than we do reads another request. */
const SINGLE = ["content-length", "host", "origin", "content-type"];

/** Collects the bytes of a request, however they are cut. */
export class RequestReader {
  #bytes = new Uint8Array(512);
  #length = 0;
  /** Place up to which no head ends. */
  #searched = 0;
  #head:
    | { readonly request: Omit<HttpRequest, "body">; readonly from: number; readonly to: number }
    | undefined;

  /** Takes bytes. Returns the request, its refusal, or undefined: there is more to come. */
  add(bytes: Uint8Array): HttpRequest | HttpRefusal | undefined {
    this.#keep(bytes.subarray(0, MOST_HEAD + MOST_BODY - this.#length));
    if (this.#head === undefined) {
      const end = this.#findEnd();
      if (end > MOST_HEAD || (end < 0 && this.#length > MOST_HEAD)) {
        return { status: 431, reason: `the header is longer than ${MOST_HEAD} bytes` };
      }
      if (end < 0) return undefined;
      const request = readHead(latin1(this.#bytes.subarray(0, end - 4)));
      if ("reason" in request) return request;
      const length = bodyLength(request.headers);
      if (typeof length !== "number") return length;
      this.#head = { request, from: end, to: end + length };
    }
    const { request, from, to } = this.#head;
    return this.#length < to ? undefined : { ...request, body: this.#bytes.slice(from, to) };
  }

  #keep(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }

  /** Finds the place behind the empty line; -1: there is none yet. */
  #findEnd(): number {
    for (let at = this.#searched; at + 4 <= this.#length; at++) {
      const bytes = this.#bytes;
      if (bytes[at] === 13 && bytes[at + 1] === 10 && bytes[at + 2] === 13 && bytes[at + 3] === 10) {
        return at + 4;
      }
    }
    this.#searched = Math.max(0, this.#length - 3);
    return -1;
  }
}

function readHead(text: string): Omit<HttpRequest, "body"> | HttpRefusal {
  const [first, ...lines] = text.split("\r\n");
  const line = LINE.exec(first);
  if (line === null) return { status: 400, reason: "the first line is no request" };
  const [, method, target, major, minor] = line;
  if (major !== "1") return { status: 505, reason: "only HTTP/1.1 is spoken here" };
  const headers = new Map<string, string>();
  for (const text of lines) {
    const field = FIELD.exec(text);
    if (field === null) return { status: 400, reason: "a line of the header is no field" };
    const name = field[1].toLowerCase();
    if (headers.has(name) && SINGLE.includes(name)) {
      return { status: 400, reason: `${name} stands there twice` };
    }
    headers.set(name, field[2].trim());
  }
  if (minor !== "0" && !headers.has("host")) return { status: 400, reason: "host is missing" };
  const question = target.indexOf("?");
  return {
    method,
    path: question < 0 ? target : target.slice(0, question),
    query: new URLSearchParams(question < 0 ? "" : target.slice(question)),
    headers,
  };
}

function bodyLength(headers: ReadonlyMap<string, string>): number | HttpRefusal {
  if (headers.has("transfer-encoding")) return { status: 501, reason: "a body needs a content-length" };
  const text = headers.get("content-length") ?? "0";
  if (!/^\d+$/.test(text)) return { status: 400, reason: "content-length is no number" };
  const length = Number(text);
  return length > MOST_BODY ? { status: 413, reason: `the body is longer than ${MOST_BODY} bytes` } : length;
}
