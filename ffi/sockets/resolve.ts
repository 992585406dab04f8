/**
 * Names to addresses by the C library: /etc/hosts, DNS, and whatever else nsswitch.conf says. It blocks: for
 * the control plane.
 * @module
 */
import { OperationError } from "../../src/net/error.ts";
import {
  AF_INET,
  AF_INET6,
  AI_NUMERICHOST,
  AI_PASSIVE,
  EAI_ADDRFAMILY,
  EAI_AGAIN,
  EAI_NODATA,
  EAI_NONAME,
  EAI_SERVICE,
  NI_DGRAM,
  NI_NUMERICHOST,
  NI_NUMERICSERV,
} from "../consts.ts";
import { ADDRINFO, ADDRINFO_SIZE, SOCKADDR_SIZE } from "../layout.ts";
import { libc } from "../libc.ts";
import { makeSockaddr, sockaddrLength } from "./sockaddr.ts";

/** The question. */
export interface Question {
  /** A name or an address; undefined: all addresses of this machine (0.0.0.0 and ::), to listen on. */
  readonly host: string | undefined;
  /** A port number or the name of a service. */
  readonly service: string;
  /** AF_INET or AF_INET6; undefined: both. */
  readonly family?: number | undefined;
  /** SOCK_STREAM or SOCK_DGRAM. */
  readonly type: number;
  /** Take addresses alone for hosts, ask nobody. */
  readonly numeric: boolean;
}

/**
 * The addresses that are meant, in C's layout (32 bytes), in the order in which to try them. Throws
 * OperationError.
 */
export function resolve(question: Question): Uint8Array<ArrayBuffer>[] {
  const { host, service } = question;
  const hints = new Int32Array(ADDRINFO_SIZE / 4);
  hints[ADDRINFO.flags / 4] = (host === undefined ? AI_PASSIVE : 0) | (question.numeric ? AI_NUMERICHOST : 0);
  hints[ADDRINFO.family / 4] = question.family ?? 0;
  hints[ADDRINFO.type / 4] = question.type;
  const list = new BigUint64Array(1);
  const code = libc.getaddrinfo(host === undefined ? null : text(host), text(service), hints, list);
  if (code !== 0) {
    throw new OperationError({
      operation: "find",
      object: host === undefined ? service : `${host} ${service}`,
      reason: describe(code),
      hint: advise(code, question),
    });
  }
  const head = Deno.UnsafePointer.create(list[0]);
  try {
    return readList(head);
  } finally {
    libc.freeaddrinfo(head);
  }
}

/** NI_MAXHOST, and more than NI_MAXSERV. */
const NAME_SIZE = 1025;

/** The name of a port's service in /etc/services; undefined if it has none. */
export function serviceName(address: Uint8Array<ArrayBuffer>, datagrams: boolean): string | undefined {
  const service = nameInfo(address, NI_NUMERICHOST | (datagrams ? NI_DGRAM : 0))?.service;
  return service === undefined || /^\d+$/.test(service) ? undefined : service;
}

/** The name of an address in /etc/hosts or DNS; the address itself where nobody knows one. */
export function hostName(address: Uint8Array<ArrayBuffer>): string {
  return nameInfo(address, NI_NUMERICSERV)?.host ?? numericHost(address);
}

/** The address in words, with the interface where it is a link's own: `fe80::1%eth0`. */
export function numericHost(address: Uint8Array<ArrayBuffer>): string {
  return nameInfo(address, NI_NUMERICHOST | NI_NUMERICSERV)?.host ?? "?";
}

function nameInfo(
  address: Uint8Array<ArrayBuffer>,
  flags: number,
): { readonly host: string; readonly service: string } | undefined {
  const host = new Uint8Array(NAME_SIZE);
  const service = new Uint8Array(NAME_SIZE);
  const length = sockaddrLength(address);
  const code = libc.getnameinfo(address, length, host, NAME_SIZE, service, NAME_SIZE, flags);
  return code === 0 ? { host: fromC(host), service: fromC(service) } : undefined;
}

function fromC(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}

/** A string for C. */
function text(string: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${string}\0`);
}

function describe(code: number): string {
  const message = libc.gai_strerror(code);
  return message === null ? `error ${code}` : Deno.UnsafePointerView.getCString(message);
}

/** Returns a remedy for a failure; the empty string where nobody knows. */
function advise(code: number, { host, family, numeric }: Question): string {
  switch (code) {
    case EAI_SERVICE:
      return "No such service is in /etc/services: give the number of the port, in decimal";
    case EAI_AGAIN:
      return "No DNS server has answered (/etc/resolv.conf names them): give an address";
    case EAI_NONAME:
      if (host?.includes("%")) {
        return "What follows % is the name of an interface, and there is none of that name";
      }
      return numeric
        ? "Only an address will do here, names are not looked up"
        : "DNS knows no such name, nor does /etc/hosts";
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
      return family === undefined
        ? "It has no address"
        : `It has no address of IPv${
          family === AF_INET6 ? 6 : 4
        }, which -4 or -6 asks for, or another address of the same command`;
    default:
      return "";
  }
}

/** Copies the addresses of a list of struct addrinfo. */
function readList(head: Deno.PointerValue): Uint8Array<ArrayBuffer>[] {
  const addresses: Uint8Array<ArrayBuffer>[] = [];
  for (let node = head; node !== null;) {
    const view = new Deno.UnsafePointerView(node);
    const family = view.getInt32(ADDRINFO.family);
    const length = view.getUint32(ADDRINFO.addressLength);
    const address = view.getPointer(ADDRINFO.address);
    if (address !== null && (family === AF_INET || family === AF_INET6) && length <= SOCKADDR_SIZE) {
      const copy = makeSockaddr();
      Deno.UnsafePointerView.copyInto(address, copy.subarray(0, length));
      addresses.push(copy);
    }
    node = view.getPointer(ADDRINFO.next);
  }
  return addresses;
}
