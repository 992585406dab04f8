/**
 * The items of `rules`.
 * @module
 */
import * as v from "valibot";
import {
  absolutePath,
  boolean,
  interfaceName,
  macAddress,
  PATH_JSON,
  port,
  portRange,
  prefix,
  text,
} from "../values/scalars.ts";
import { whenDown } from "./group_schema.ts";
import { domainPattern } from "../values/hosts.ts";
import { list, mapping, oneOf, oneOrList, pathItem } from "../values/values.ts";

const prefixes = list(prefix(), "[192.168.0.0/16]");
const interfaces = list(interfaceName(), "[br-lan]");

const ACTIONS = ["bypass", "block", "direct", "deliver", "proxy"] as const;

const DELIVERED_UNREAD =
  "action deliver cannot go by names: a flow is delivered before its client has said one";
const NOT_SILENT =
  "a rule by names cannot be silent: the client is connected before it says one, and is reset then";

/** Keys that only one action uses. */
const ACTION_KEYS = [
  { action: "deliver", key: "deliver-port", needed: true },
  { action: "proxy", key: "upstream", needed: true },
  { action: "proxy", key: "when-down", needed: false },
  { action: "block", key: "silent", needed: false },
];

/** One rule. */
export const ruleItem = v.pipe(
  mapping({
    name: v.optional(text("a name")),
    from: v.optional(prefixes),
    "from-file": v.optional(absolutePath()),
    to: v.optional(prefixes),
    "to-file": v.optional(absolutePath()),
    ports: v.optional(list(portRange(), '[443, "8000-8100"]')),
    protocol: v.optional(oneOf("tcp", "udp")),
    in: v.optional(interfaces),
    interfaces: v.optional(interfaces),
    mac: v.optional(list(macAddress(), "[02:00:5e:10:00:01]")),
    domains: v.optional(list(domainPattern(), '["*.example.com"]')),
    "domains-file": v.optional(
      oneOrList(absolutePath(), { json: PATH_JSON, example: "[/etc/tproxy/ads.list]" }),
    ),
    action: v.optional(oneOf(...ACTIONS)),
    silent: v.optional(boolean()),
    "deliver-port": v.optional(port()),
    upstream: v.optional(text("the name of an upstream or of a group")),
    "when-down": v.optional(whenDown()),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    const rule = dataset.value as Readonly<Record<string, unknown>>;
    if (typeof rule !== "object" || rule === null) return;
    const { action } = rule;
    if (!Object.hasOwn(rule, "action")) {
      addIssue({ message: "a rule needs an action: bypass, block, direct, deliver or proxy" });
    }
    if (Object.hasOwn(rule, "in") && Object.hasOwn(rule, "interfaces")) {
      addIssue({ message: "in and interfaces are the same key", path: [pathItem(rule, "interfaces")] });
    }
    for (const key of ["domains", "domains-file"]) {
      if (!Object.hasOwn(rule, key)) continue;
      if (action === "deliver") addIssue({ message: DELIVERED_UNREAD, path: [pathItem(rule, key)] });
      if (Object.hasOwn(rule, "silent")) {
        addIssue({ message: NOT_SILENT, path: [pathItem(rule, "silent")] });
      }
    }
    for (const { action: user, key, needed } of ACTION_KEYS) {
      const given = Object.hasOwn(rule, key);
      if (action === user && needed && !given) addIssue({ message: `action ${user} needs ${key}` });
      if (action !== user && ACTIONS.some((known) => known === action) && given) {
        addIssue({ message: `only action ${user} uses ${key}`, path: [pathItem(rule, key)] });
      }
    }
  }),
);
