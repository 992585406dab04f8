/**
 * SOCKS5 as a client speaks it: RFC 1928, RFC 1929. Pure.
 * @module
 */
import { AF_INET, EACCES, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH } from "../../../../ffi/consts.ts";
import { SOCKADDR_SIZE } from "../../../../ffi/layout.ts";
import { nameToSend, type Sends } from "./destination.ts";
import {
  CONFIGURATION,
  type Credentials,
  type Greeting,
  NOBODY,
  POLICY,
  TARGET,
  type Target,
  UPSTREAM,
} from "./greeting.ts";
import { Outbox } from "./outbox.ts";
import { ATYP_IPV4, ATYP_IPV6, ATYP_NAME, readAddress, SOCKS_ADDRESS_AT } from "./socks5_address.ts";

/** Commands to the proxy. */
export const CONNECT = 1;
export const UDP_ASSOCIATE = 3;

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const BY_PASSWORD = 2;
const NO_METHOD = 0xff;
/** The version of the sub-negotiation; some servers answer with that of SOCKS. */
const PASSWORD_VERSION = 1;
/** Version, user name and password with their lengths: the longest message. */
const LONGEST = 3 + 255 + 255;

// States.
const CHOOSING = 0;
const AUTHENTICATING = 1;
const ASKING = 2;
const OVER = 3;

/** Replies by their code: who is to blame, what the client would have met, and words. */
const REPLIES: Readonly<Record<number, readonly [blame: number, errno: number, words: string]>> = {
  1: [UPSTREAM, ECONNREFUSED, "general failure"],
  2: [POLICY, EACCES, "not allowed by its rules"],
  3: [TARGET, ENETUNREACH, "network unreachable"],
  4: [TARGET, EHOSTUNREACH, "host unreachable"],
  5: [TARGET, ECONNREFUSED, "connection refused"],
  6: [TARGET, EHOSTUNREACH, "TTL expired"],
  7: [UPSTREAM, ECONNREFUSED, "command not supported"],
  8: [UPSTREAM, ECONNREFUSED, "address type not supported"],
};

/** Reply of a proxy without UDP, which may carry TCP all the same. */
const NO_UDP = [POLICY, ECONNREFUSED, REPLIES[7][2]] as const;

/** The way in which a proxy is spoken to. */
export interface Socks5Options {
  /** null: it asks for none. */
  readonly credentials: Credentials | null;
  readonly sends: Sends;
  /** CONNECT or UDP_ASSOCIATE. */
  readonly command: number;
}

/** A talk with a SOCKS5 proxy. For UDP_ASSOCIATE the destination is of zeros, as RFC 1928 wants it. */
export class Socks5Greeting implements Greeting {
  blame = NOBODY;
  refusal = "";
  /** The address in the proxy's reply: a struct sockaddr, whose family is 0 if the reply has a name. */
  readonly bound: Uint8Array<ArrayBuffer> = new Uint8Array(SOCKADDR_SIZE);
  readonly #options: Socks5Options;
  readonly #outbox = new Outbox(LONGEST);
  #target: Target | null = null;
  #state = OVER;

  constructor(options: Socks5Options) {
    this.#options = options;
  }

  /** See {@linkcode Greeting}. */
  begin(target: Target): void {
    this.blame = NOBODY;
    this.refusal = "";
    this.#target = target;
    this.#state = CHOOSING;
    const box = this.#outbox;
    box.clear();
    box.byte(VERSION);
    if (this.#options.credentials === null) box.byte(1);
    else {
      box.byte(2);
      box.byte(BY_PASSWORD);
    }
    box.byte(NO_AUTHENTICATION);
  }

  /** See {@linkcode Greeting}. */
  get output(): Uint8Array<ArrayBuffer> {
    return this.#outbox.rest;
  }

  /** See {@linkcode Greeting}. */
  get done(): boolean {
    return this.#state === OVER && this.blame === NOBODY;
  }

  /** See {@linkcode Greeting}. Between request and reply it dials the destination. */
  get awaited(): number {
    return this.#state === ASKING ? TARGET : UPSTREAM;
  }

  /** See {@linkcode Greeting}. */
  sent(bytes: number): void {
    this.#outbox.sent(bytes);
  }

  /** See {@linkcode Greeting}. */
  input(bytes: Uint8Array, length: number): number {
    if (length === 0) return 0;
    switch (this.#state) {
      case CHOOSING:
        return this.#method(bytes, length);
      case AUTHENTICATING:
        return this.#authenticated(bytes, length);
      case ASKING:
        return this.#reply(bytes, length);
      default:
        return 0; // what comes now is the destination's
    }
  }

  #method(bytes: Uint8Array, length: number): number {
    if (bytes[0] !== VERSION) return this.#nonsense(bytes[0]);
    if (length < 2) return 0;
    const { credentials } = this.#options;
    if (bytes[1] === NO_AUTHENTICATION) this.#ask();
    else if (bytes[1] === BY_PASSWORD && credentials !== null) this.#authenticate(credentials);
    else if (bytes[1] === NO_METHOD) {
      const words = credentials === null ? "it asks for credentials" : "it takes no user name and password";
      return this.#fail(CONFIGURATION, ECONNREFUSED, words);
    } else return this.#fail(UPSTREAM, ECONNREFUSED, `it wants authentication by method ${bytes[1]}`);
    return 2;
  }

  #authenticate({ username, password }: Credentials): void {
    const box = this.#outbox;
    box.clear();
    box.byte(PASSWORD_VERSION);
    for (const part of [username, password]) {
      box.byte(part.length);
      box.bytes(part);
    }
    this.#state = AUTHENTICATING;
  }

  #authenticated(bytes: Uint8Array, length: number): number {
    if (bytes[0] !== PASSWORD_VERSION && bytes[0] !== VERSION) return this.#nonsense(bytes[0]);
    if (length < 2) return 0;
    if (bytes[1] !== 0) {
      return this.#fail(CONFIGURATION, ECONNREFUSED, "it does not know the user name and password");
    }
    this.#ask();
    return 2;
  }

  #ask(): void {
    const target = this.#target!;
    const { command, sends } = this.#options;
    const box = this.#outbox;
    box.clear();
    box.byte(VERSION);
    box.byte(command);
    box.byte(0);
    const name = nameToSend(target, sends);
    if (name === null) {
      box.byte(target.destination[0] === AF_INET ? ATYP_IPV4 : ATYP_IPV6);
      box.address(target.destination);
    } else {
      box.byte(ATYP_NAME);
      box.byte(name.length);
      box.ascii(name);
    }
    box.port(target.destination);
    this.#state = ASKING;
  }

  #reply(bytes: Uint8Array, length: number): number {
    if (bytes[0] !== VERSION) return this.#nonsense(bytes[0]);
    if (length < 2) return 0;
    const code = bytes[1];
    if (code !== 0) {
      const [blame, errno, words] = code === 7 && this.#options.command === UDP_ASSOCIATE
        ? NO_UDP
        : REPLIES[code] ?? [UPSTREAM, ECONNREFUSED, "no such code is known"];
      return this.#fail(blame, errno, `reply ${code}, ${words}`);
    }
    const end = readAddress(bytes, SOCKS_ADDRESS_AT, length, this.bound);
    if (end === 0) return 0;
    if (end < 0) return this.#fail(UPSTREAM, ECONNREFUSED, "its reply has an address of an unknown type");
    this.#state = OVER;
    return end;
  }

  #nonsense(version: number): number {
    return this.#fail(UPSTREAM, ECONNREFUSED, `it does not speak SOCKS5: its version is ${version}`);
  }

  #fail(blame: number, errno: number, words: string): number {
    this.#state = OVER;
    this.#outbox.clear();
    this.blame = blame;
    this.refusal = words;
    return -errno;
  }
}
