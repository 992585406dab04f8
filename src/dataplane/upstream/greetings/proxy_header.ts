/**
 * The PROXY protocol of HAProxy: a header that tells a server who the client is. Pure.
 * @module
 */
import { AF_INET } from "../../../../ffi/consts.ts";
import { addressLength, portOf, readSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { formatIp } from "../../../net/ip.ts";
import { type Greeting, NOBODY, type Target, UPSTREAM } from "./greeting.ts";
import { Outbox } from "./outbox.ts";
import { writeAddress, writePort } from "./wire.ts";

/** Version of the protocol. */
export type ProxyVersion = 1 | 2;

/** The flow that a header tells; null: the connection is our own, such as that of a check. */
export type Told = Pick<Target, "client" | "destination"> | null;

/** A header of version 1 has no more; one of version 2 fewer. */
const LONGEST = 107;
const SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
const LOCAL = 0x20;
const PROXY = 0x21;
const UNSPECIFIED = 0;
const OVER_TCP = 1;
const OVER_UDP = 2;
const IPV4 = 0x10;
const IPV6 = 0x20;
const ADDRESSES_AT = SIGNATURE.length + 4;

/** The length of a header of version 2 for flows of this family. */
export function proxyHeaderLength(family: number): number {
  return ADDRESSES_AT + 2 * addressLength(family) + 4;
}

/** Writes the header of version 2 that stands before a datagram. Its length. */
export function writeDatagramHeader(bytes: Uint8Array, told: Told): number {
  return writeVersion2(bytes, told, OVER_UDP);
}

/** A talk that is one message, before everything else; nothing is answered. */
export class ProxyHeader implements Greeting {
  readonly blame: number = NOBODY;
  readonly refusal: string = "";
  readonly awaited: number = UPSTREAM;
  readonly #version: ProxyVersion;
  readonly #outbox = new Outbox(LONGEST);
  readonly #bytes = new Uint8Array(LONGEST);

  constructor(version: ProxyVersion) {
    this.#version = version;
  }

  /** See {@linkcode Greeting}. */
  begin(target: Target): void {
    this.tell(target);
  }

  /** Begins the header that tells this. */
  tell(told: Told): void {
    this.#outbox.clear();
    if (this.#version === 1) this.#outbox.ascii(version1(told));
    else this.#outbox.bytes(this.#bytes.subarray(0, writeVersion2(this.#bytes, told, OVER_TCP)));
  }

  /** See {@linkcode Greeting}. */
  get output(): Uint8Array<ArrayBuffer> {
    return this.#outbox.rest;
  }

  /** See {@linkcode Greeting}. */
  get done(): boolean {
    return this.#outbox.isEmpty;
  }

  /** See {@linkcode Greeting}. */
  sent(bytes: number): void {
    this.#outbox.sent(bytes);
  }

  /** See {@linkcode Greeting}: what comes is the server's. */
  input(): number {
    return 0;
  }
}

function version1(told: Told): string {
  if (told === null) return "PROXY UNKNOWN\r\n";
  const { client, destination } = told;
  const family = client[0] === AF_INET ? "TCP4" : "TCP6";
  const addresses = [client, destination].map((sockaddr) => formatIp(readSockaddr(sockaddr).address));
  return `PROXY ${family} ${addresses.join(" ")} ${portOf(client)} ${portOf(destination)}\r\n`;
}

function writeVersion2(bytes: Uint8Array, told: Told, transport: number): number {
  bytes.set(SIGNATURE);
  const at = SIGNATURE.length;
  bytes[at] = told === null ? LOCAL : PROXY;
  bytes[at + 1] = told === null ? UNSPECIFIED : (told.client[0] === AF_INET ? IPV4 : IPV6) | transport;
  bytes[at + 2] = 0;
  bytes[at + 3] = 0;
  if (told === null) return ADDRESSES_AT;
  const { client, destination } = told;
  const ports = writeAddress(bytes, writeAddress(bytes, ADDRESSES_AT, client), destination);
  const end = writePort(bytes, writePort(bytes, ports, client), destination);
  bytes[at + 3] = end - ADDRESSES_AT;
  return end;
}
