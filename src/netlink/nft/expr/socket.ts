/** `socket`: asks about the local socket that would take the packet. @module */
import { type AttributeMap, AttributeWriter } from "../../attribute.ts";
import { Names } from "../../names.ts";
import { required } from "../data.ts";
import type { Codec } from "./codec.ts";

/** Facts of a socket: one byte for `transparent` and `wildcard`, four in host byte order for `mark`. */
export type SocketKey = "transparent" | "mark" | "wildcard" | "cgroupv2";

// linux/netfilter/nf_tables.h: enum nft_socket_keys, enum nft_socket_attributes
const KEYS = new Names<SocketKey>("socket key", { transparent: 0, mark: 1, wildcard: 2, cgroupv2: 3 });
const NFTA_SOCKET_KEY = 1;
const NFTA_SOCKET_DREG = 2;
const NFTA_SOCKET_LEVEL = 3;

/** `[ socket load transparent => reg 1 ]`. The rule ends where there is no socket. */
export interface SocketExpression {
  /** Tells the expressions apart. */
  readonly kind: "socket";
  /** The fact that is asked for (NFTA_SOCKET_KEY). */
  readonly key: SocketKey;
  /** Register that it reads or writes. */
  readonly register: number;
  /** The ancestor's depth, for `cgroupv2` only. */
  readonly level?: number;
}

/** The attributes of the expression. */
function encode(expression: SocketExpression): Uint8Array {
  return new AttributeWriter()
    .u32be(NFTA_SOCKET_KEY, KEYS.number(expression.key))
    .u32be(NFTA_SOCKET_DREG, expression.register)
    .u32be(NFTA_SOCKET_LEVEL, expression.level ?? 0) // nft always sends it; kernels before 5.13 ignore it
    .finish();
}

/** The inverse of {@linkcode encode}. */
function decode(data: AttributeMap): SocketExpression {
  const level = data.u32be(NFTA_SOCKET_LEVEL) ?? 0;
  return {
    kind: "socket",
    key: KEYS.name(data.u32be(NFTA_SOCKET_KEY)),
    register: required(data.u32be(NFTA_SOCKET_DREG), "NFTA_SOCKET_DREG"),
    ...(level === 0 ? {} : { level }),
  };
}

/** Codec of `socket`. */
export const socket: Codec<SocketExpression> = { name: "socket", kinds: ["socket"], encode, decode };
