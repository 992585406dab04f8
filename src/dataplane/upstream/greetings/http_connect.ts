/**
 * HTTP's method CONNECT as a client speaks it: RFC 9110, 9.3.6. Pure.
 * @module
 */
import { EACCES, ECONNREFUSED, EHOSTUNREACH } from "../../../../ffi/consts.ts";
import { portOf, readSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { formatEndpoint } from "../../../net/ip.ts";
import { nameToSend, type Sends } from "./destination.ts";
import {
  CONFIGURATION,
  type Credentials,
  type Greeting,
  MOST_ANSWER,
  NOBODY,
  POLICY,
  TARGET,
  type Target,
  UPSTREAM,
} from "./greeting.ts";
import { Outbox } from "./outbox.ts";

/** A name with its port twice, the credentials in Base64, and the words around. */
const LONGEST = 2048;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const STATUS_LINE = /^HTTP\/1\.\d (\d{3})(?: |$)/;
const BEGINNING = "HTTP/1.";
/** Answers of 1xx before the one that counts: a proxy that sends them for ever would never be done with. */
const MOST_INTERIM = 16;
/** More of a status line is not worth repeating. */
const LONGEST_QUOTE = 80;

/** The way in which a proxy is spoken to. */
export interface HttpConnectOptions {
  /** null: none are sent. They are sent at once, not when they are asked for. */
  readonly credentials: Credentials | null;
  readonly sends: Sends;
}

/** A talk with an HTTP proxy. */
export class HttpConnect implements Greeting {
  blame = NOBODY;
  refusal = "";
  /** Before it answers, it dials the destination. */
  readonly awaited: number = TARGET;
  readonly #sends: Sends;
  readonly #authorization: string;
  readonly #outbox = new Outbox(LONGEST);
  #over = true;
  /** The bytes of the answer that were looked through, and where the current line begins. */
  #seen = 0;
  #line = 0;
  /** The answers that were not yet the one. */
  #interim = 0;

  constructor({ credentials, sends }: HttpConnectOptions) {
    this.#sends = sends;
    this.#authorization = credentials === null ? "" : `Proxy-Authorization: Basic ${basic(credentials)}\r\n`;
  }

  /** See {@linkcode Greeting}. */
  begin(target: Target): void {
    this.blame = NOBODY;
    this.refusal = "";
    this.#over = false;
    this.#seen = this.#line = this.#interim = 0;
    const { destination } = target;
    const name = nameToSend(target, this.#sends);
    const authority = name === null
      ? formatEndpoint(readSockaddr(destination))
      : `${name}:${portOf(destination)}`;
    this.#outbox.clear();
    this.#outbox.ascii(
      `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${this.#authorization}\r\n`,
    );
  }

  /** See {@linkcode Greeting}. */
  get output(): Uint8Array<ArrayBuffer> {
    return this.#outbox.rest;
  }

  /** See {@linkcode Greeting}. */
  get done(): boolean {
    return this.#over && this.blame === NOBODY;
  }

  /** See {@linkcode Greeting}. */
  sent(bytes: number): void {
    this.#outbox.sent(bytes);
  }

  /** See {@linkcode Greeting}. The head alone is the talk's, whatever it says of a body. */
  input(bytes: Uint8Array, length: number): number {
    if (this.#over) return 0;
    for (; this.#seen < length; this.#seen++) {
      if (bytes[this.#seen] !== LINE_FEED) continue;
      const returned = this.#readLine(bytes, this.#seen);
      if (returned !== 0) return returned;
    }
    if (this.#line === 0 && !mayBegin(bytes, length)) return this.#nonsense();
    return length < MOST_ANSWER
      ? 0
      : this.#fail(UPSTREAM, ECONNREFUSED, "the head of its answer is too long");
  }

  /** Reads the line that ends with the line feed at `end`. 0: the head goes on. */
  #readLine(bytes: Uint8Array, end: number): number {
    const from = this.#line;
    const to = end > from && bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end;
    this.#line = end + 1;
    if (from === 0) return this.#readStatus(ascii(bytes, 0, to));
    if (to > from) return 0;
    this.#over = !this.#isInterim(bytes);
    if (!this.#over && ++this.#interim > MOST_INTERIM) {
      return this.#fail(UPSTREAM, ECONNREFUSED, "its answers of 1xx have no end");
    }
    this.#seen = this.#line = 0;
    return end + 1;
  }

  /** Any 2xx says that the tunnel stands, and 1xx that there is more to come. */
  #readStatus(line: string): number {
    const status = Number(STATUS_LINE.exec(line)?.[1] ?? Number.NaN);
    if (Number.isNaN(status)) return this.#nonsense();
    if (status < 300) return 0;
    const [blame, errno] = refusalOf(status, line);
    return this.#fail(blame, errno, line.slice(0, LONGEST_QUOTE));
  }

  /** Tells whether the head that has ended is one of 1xx. */
  #isInterim(bytes: Uint8Array): boolean {
    return bytes[BEGINNING.length + 2] === "1".charCodeAt(0);
  }

  #nonsense(): number {
    return this.#fail(UPSTREAM, ECONNREFUSED, "it does not speak HTTP");
  }

  #fail(blame: number, errno: number, words: string): number {
    this.#over = true;
    this.#outbox.clear();
    this.blame = blame;
    this.refusal = words;
    return -errno;
  }
}

function basic({ username, password }: Credentials): string {
  return btoa(`${String.fromCharCode(...username)}:${String.fromCharCode(...password)}`);
}

function mayBegin(bytes: Uint8Array, length: number): boolean {
  const count = Math.min(length, BEGINNING.length);
  return BEGINNING.startsWith(ascii(bytes, 0, count));
}

/** The printable part of a line, so that it may stand in a log. */
function ascii(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  for (let i = from; i < Math.min(to, from + 2 * LONGEST_QUOTE); i++) {
    text += bytes[i] >= 32 && bytes[i] < 127 ? String.fromCharCode(bytes[i]) : "?";
  }
  return text;
}

/** Finds who is to blame for a status, and what the client would have met. */
function refusalOf(status: number, line: string): readonly [blame: number, errno: number] {
  switch (status) {
    case 401:
    case 407:
      return [CONFIGURATION, ECONNREFUSED];
    case 403:
      return [POLICY, EACCES];
    case 404:
    case 504:
      return [TARGET, EHOSTUNREACH];
    case 502:
    case 503:
      return [TARGET, ECONNREFUSED];
    case 500: // so says tinyproxy of a destination that refuses
      return [/unable to connect/i.test(line) ? TARGET : UPSTREAM, ECONNREFUSED];
    default:
      return [UPSTREAM, ECONNREFUSED];
  }
}
