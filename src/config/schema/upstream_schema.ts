/**
 * The items of `upstreams`.
 * @module
 */
import * as v from "valibot";
import { HOST_AND_PORT_EXPECTED, hostAndPort, ipAddress } from "../values/hosts.ts";
import { absolutePath, boolean, interfaceName, maskedMark, text } from "../values/scalars.ts";
import { list, mapping, named, oneOf, pathItem } from "../values/values.ts";
import { checks } from "./check_schema.ts";

const TYPES = ["socks5", "http-connect", "forward", "direct"] as const;
type Type = typeof TYPES[number];

/** Keys that not every type uses. */
const TYPE_KEYS: Readonly<Record<string, readonly Type[]>> = {
  address: ["socks5", "http-connect", "forward"],
  username: ["socks5", "http-connect"],
  "password-file": ["socks5", "http-connect"],
  send: ["socks5", "http-connect"],
  "udp-address": ["socks5"],
  "proxy-protocol": ["forward"],
  interface: ["direct"],
  mark: ["direct"],
  source: ["forward", "direct"],
};

/** RFC 1929 gives the length one byte. */
const MAX_SOCKS5_NAME = 255;

const upstream = v.pipe(
  mapping({
    type: v.optional(oneOf(...TYPES)),
    address: v.optional(hostAndPort({ anyPort: true })),
    username: v.optional(text("a user name")),
    "password-file": v.optional(absolutePath()),
    send: v.optional(oneOf("address", "name")),
    families: v.optional(list(oneOf("ipv4", "ipv6"), "[ipv4, ipv6]")),
    udp: v.optional(boolean()),
    "udp-address": v.optional(ipAddress()),
    "proxy-protocol": v.optional(oneOf("v1", "v2")),
    interface: v.optional(interfaceName()),
    mark: v.optional(maskedMark()),
    source: v.optional(oneOf("client", "client-address", "router")),
    check: checks,
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    const given = dataset.value as Readonly<Record<string, unknown>>;
    if (typeof given !== "object" || given === null) return;
    const { type } = given;
    const has = (key: string) => Object.hasOwn(given, key);
    const refuse = (key: string, message: string) => addIssue({ message, path: [pathItem(given, key)] });
    if (!has("type")) addIssue({ message: "an upstream needs type" });
    if (!has("address") && type !== "direct") addIssue({ message: "an upstream needs address" });
    if (!TYPES.some((known) => known === type)) return;
    for (const [key, users] of Object.entries(TYPE_KEYS)) {
      if (has(key) && !users.includes(type as Type)) {
        const last = users.at(-1);
        const others = users.slice(0, -1).join(", ");
        refuse(
          key,
          others === "" ? `only type ${last} uses ${key}` : `only ${others} and ${last} use ${key}`,
        );
      }
    }
    if (type !== "forward" && portOf(given.address) === 0) {
      refuse("address", `expected ${HOST_AND_PORT_EXPECTED}`);
    }
    if (has("password-file") && !has("username")) refuse("password-file", "password-file needs username");
    if (type === "http-connect" && given.udp === true) refuse("udp", "CONNECT carries no UDP");
    if (given["proxy-protocol"] === "v1" && given.udp === true) {
      refuse("udp", "version 1 of the PROXY protocol cannot tell of UDP, use v2");
    }
    if (typeof given.username === "string") {
      const message = refuseUserName(given.username, type as Type);
      if (message !== undefined) refuse("username", message);
    }
    const target = (given.check as { target?: unknown } | null | undefined)?.target;
    if (type === "forward" && target !== undefined && target !== "none") {
      refuse("check", "type forward reaches no other server, so its check has no target");
    }
  }),
);

function portOf(address: unknown): unknown {
  return typeof address === "object" && address !== null ? (address as { port?: unknown }).port : undefined;
}

function refuseUserName(name: string, type: Type): string | undefined {
  if (type === "socks5" && new TextEncoder().encode(name).length > MAX_SOCKS5_NAME) {
    return `SOCKS 5 allows user names of at most ${MAX_SOCKS5_NAME} bytes`;
  }
  return type === "http-connect" && name.includes(":") ? "HTTP allows no colon in user names" : undefined;
}

/** Upstream proxies by name. */
export const upstreams = named(upstream, "expected names, each with an upstream");
