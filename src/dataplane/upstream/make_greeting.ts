/**
 * The talk of an upstream's protocol. Pure.
 * @module
 */
import type { Greeting } from "./greetings/greeting.ts";
import { HttpConnect } from "./greetings/http_connect.ts";
import { ProxyHeader } from "./greetings/proxy_header.ts";
import { CONNECT, Socks5Greeting } from "./greetings/socks5.ts";
import type { UpstreamProtocol } from "./settings.ts";

/** Makes a talk that asks for a connection; null: nothing is said. */
export function makeGreeting(protocol: UpstreamProtocol): Greeting | null {
  switch (protocol.type) {
    case "socks5":
      return new Socks5Greeting({ ...protocol, command: CONNECT });
    case "http-connect":
      return new HttpConnect(protocol);
    case "forward":
      return protocol.header === null ? null : new ProxyHeader(protocol.header);
    case "direct":
      return null;
    default:
      return protocol satisfies never;
  }
}
