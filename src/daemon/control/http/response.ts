/**
 * Answers of HTTP/1.1 as who asks the control socket reads them. Pure.
 * @module
 */

import { joinBytes, latin1 } from "../../../net/bytes.ts";

/** Bytes of the longest head. */
const MOST_HEAD = 8192;
/** Digits of the longest chunk's length. */
const MOST_DIGITS = 6;

/** Collects the bytes of an answer, however they are cut. */
export class ResponseReader {
  /** 0: not known yet. */
  status = 0;
  /** All of the body has come. */
  isWhole = false;
  #rest = new Uint8Array();
  /** Bytes that the body has still, or the chunk; -1: a length comes next. */
  #left = 0;
  #chunked = false;

  /** Takes bytes. Returns those of the body; undefined: this is no answer that is understood. */
  add(bytes: Uint8Array): Uint8Array | undefined {
    this.#rest = joinBytes([this.#rest, bytes]);
    if (this.status === 0 && !this.#readHead()) return this.#rest.length > MOST_HEAD ? undefined : NOTHING;
    if (this.status < 0) return undefined;
    return this.#chunked ? this.#readChunks() : this.#readBody();
  }

  /** Reads the head, where it has come; false: not yet. */
  #readHead(): boolean {
    const text = latin1(this.#rest.subarray(0, MOST_HEAD));
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return false;
    const head = text.slice(0, end + 2);
    const status = /^HTTP\/1\.[01] ([1-9]\d\d)[ \r]/.exec(head)?.[1];
    const length = /\r\ncontent-length: *(\d{1,10})\r\n/i.exec(head)?.[1];
    this.#chunked = /\r\ntransfer-encoding: *chunked\r\n/i.test(head);
    this.status = status === undefined || (length === undefined && !this.#chunked) ? -1 : Number(status);
    this.#left = this.#chunked ? -1 : Number(length);
    this.#rest = this.#rest.subarray(end + 4);
    return true;
  }

  #readBody(): Uint8Array {
    const body = this.#take();
    this.isWhole = this.#left === 0;
    return body;
  }

  #readChunks(): Uint8Array | undefined {
    const parts: Uint8Array[] = [];
    while (!this.isWhole) {
      if (this.#left > 0) parts.push(this.#take());
      if (this.#left > 0) break;
      // The end of a chunk's data is the begin of the next line.
      const text = latin1(this.#rest.subarray(0, MOST_DIGITS + 4));
      const line = this.#left < 0
        ? /^([0-9a-f]{1,6})\r\n/i.exec(text)
        : /^\r\n([0-9a-f]{1,6})\r\n/i.exec(text);
      if (line === null) {
        if (text.length === MOST_DIGITS + 4) return undefined;
        break;
      }
      this.#rest = this.#rest.subarray(line[0].length);
      this.#left = parseInt(line[1], 16);
      this.isWhole = this.#left === 0;
    }
    return joinBytes(parts);
  }

  #take(): Uint8Array {
    const body = this.#rest.subarray(0, this.#left);
    this.#rest = this.#rest.subarray(body.length);
    this.#left -= body.length;
    return body;
  }
}

const NOTHING = new Uint8Array();
