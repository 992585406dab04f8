/**
 * TCP_MD5SIG, the option of BGP's sockets.
 * @module
 */
import { result } from "../../../ffi/errno.ts";
import { check } from "../../../src/net/error.ts";
import { toSockaddr } from "./udp_calls.ts";
import { at } from "./udp_socket.ts";

const libc = Deno.dlopen("libc.so.6", {
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
}).symbols;

const SOL_TCP = 6;
/** linux/tcp.h: the option, and struct tcp_md5sig. */
const TCP_MD5SIG = 14;
const SIZE = 216;
const KEY_LENGTH = 130;
const KEY = 136;

/** Signs what goes to the address, and takes only what is signed from there. */
export function setTcpMd5(fd: number, peer: string, key: string): void {
  const signature = new Uint8Array(SIZE);
  signature.set(toSockaddr(at(peer, 0)));
  signature[KEY_LENGTH] = key.length;
  signature.set(new TextEncoder().encode(key), KEY);
  check(result(libc.setsockopt(fd, SOL_TCP, TCP_MD5SIG, signature, SIZE)), "set TCP_MD5SIG for", peer);
}
