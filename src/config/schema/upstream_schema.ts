/**
 * The items of `upstreams`.
 * @module
 */
import * as v from "valibot";
import { absolutePath, hostAndPort, text } from "../values/scalars.ts";
import { isMapping, mapping, oneOf, pathItem } from "../values/values.ts";

const upstream = v.pipe(
  mapping({
    type: v.optional(oneOf("socks5", "http-connect", "forward")),
    address: v.optional(hostAndPort()),
    username: v.optional(text("a user name")),
    "password-file": v.optional(absolutePath()),
    "proxy-protocol": v.optional(oneOf("v1", "v2")),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    const given = dataset.value as Readonly<Record<string, unknown>>;
    if (typeof given !== "object" || given === null) return;
    for (const key of ["type", "address"]) {
      if (!Object.hasOwn(given, key)) addIssue({ message: `an upstream needs ${key}` });
    }
    const refuse = (key: string, message: string) => {
      if (Object.hasOwn(given, key)) addIssue({ message, path: [pathItem(given, key)] });
    };
    if (given.type === "forward") {
      for (const key of ["username", "password-file"]) refuse(key, `type forward does not use ${key}`);
    } else if (given.type !== undefined) {
      refuse("proxy-protocol", "only type forward uses proxy-protocol");
      if (!Object.hasOwn(given, "username")) refuse("password-file", "password-file needs username");
    }
  }),
);

/** Upstream proxies by name. */
export const upstreams = v.nullish(v.pipe(
  v.unknown(),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!isMapping(dataset.value)) addIssue({ message: "expected names, each with an upstream" });
  }),
  v.record(v.string(), upstream, "expected names, each with an upstream"),
));
