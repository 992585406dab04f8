/**
 * Phrases that do something with a packet. Pure.
 * @module
 */
import type { Endpoint } from "../../../net/ip.ts";
import { REGISTER_1, REGISTER_2, type Verdict, type VerdictCode } from "../data.ts";
import { ICMPX_CODES, type IcmpxCode } from "../expr/reject.ts";
import type { NftExpression } from "../expression.ts";
import { hostKey16, portKey } from "../sets/set_type.ts";
import { loadConntrack, loadMeta, masked } from "./parts.ts";

/** tcpmux, which no transparent program has. */
const UNUSED_PORT = 1;

/** `meta mark set meta mark | BITS`; with `clear`, `meta mark set meta mark & ~CLEAR | BITS`. */
export function setMarkBits(bits: number, options: { clear?: number } = {}): NftExpression[] {
  return [
    loadMeta("mark"),
    masked(~(bits | (options.clear ?? 0)), bits),
    { kind: "meta", direction: "set", key: "mark", register: REGISTER_1 },
  ];
}

/** `meta mark set socket mark`: the mark that its socket has given it. */
export function restoreMark(): NftExpression[] {
  return [
    { kind: "socket", key: "mark", register: REGISTER_1 },
    { kind: "meta", direction: "set", key: "mark", register: REGISTER_1 },
  ];
}

/** `meta mark set ct mark` */
export function takeFlowMark(): NftExpression[] {
  return [
    loadConntrack("mark"),
    { kind: "meta", direction: "set", key: "mark", register: REGISTER_1 },
  ];
}

/** `ct mark set ct mark | BITS`; with `clear`, `ct mark set ct mark & ~BITS`. */
export function setFlowBits(bits: number, options: { clear?: boolean } = {}): NftExpression[] {
  return [
    loadConntrack("mark"),
    masked(~bits, options.clear ? 0 : bits),
    { kind: "ct", direction: "set", key: "mark", register: REGISTER_1 },
  ];
}

/** `tproxy ip to 127.0.0.1:50080`. */
export function tproxyTo(to: Endpoint): NftExpression[] {
  return [
    { kind: "immediate", register: REGISTER_1, value: to.address.bytes },
    { kind: "immediate", register: REGISTER_2, value: portKey(to.port) },
    {
      kind: "tproxy",
      family: to.address.family === "ipv4" ? "ip" : "ip6",
      addressRegister: REGISTER_1,
      portRegister: REGISTER_2,
    },
  ];
}

/**
 * `tproxy to :1`, for a rule that has matched TCP or UDP before: gives the packet to the transparent socket
 * that its connection has here. The rule ends where there is none: at that port nobody listens.
 */
export function tproxyToConnected(): NftExpression[] {
  return [
    { kind: "immediate", register: REGISTER_1, value: portKey(UNUSED_PORT) },
    { kind: "tproxy", family: "any", portRegister: REGISTER_1 },
  ];
}

/** `ct zone set 50080`: before conntrack sees the packet. */
export function setZone(zone: number): NftExpression[] {
  return [
    { kind: "immediate", register: REGISTER_1, value: hostKey16(zone) },
    { kind: "ct", direction: "set", key: "zone", register: REGISTER_1 },
  ];
}

/** `notrack`. */
export function notrack(): NftExpression[] {
  return [{ kind: "notrack" }];
}

/** `counter`. */
export function counter(): NftExpression[] {
  return [{ kind: "counter" }];
}

/** `reject with tcp reset`, or in an inet table `reject with icmpx port-unreachable`. */
export function reject(answer: "tcp-reset" | IcmpxCode): NftExpression[] {
  if (answer === "tcp-reset") return [{ kind: "reject", type: "tcp-reset", code: 0 }];
  return [{ kind: "reject", type: "icmpx", code: ICMPX_CODES[answer] }];
}

/** `accept`, `drop`, `return`, `jump CHAIN`, `goto CHAIN`. */
export function verdict(code: VerdictCode, chain?: string): NftExpression[] {
  const value: Verdict = chain === undefined ? { code } : { code, chain };
  return [{ kind: "verdict", verdict: value }];
}

/** `masquerade`, in a chain of type nat at postrouting. */
export function masquerade(): NftExpression[] {
  return [{ kind: "masquerade" }];
}
