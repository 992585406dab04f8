/**
 * The items of `rules`.
 * @module
 */
import * as v from "valibot";
import {
  absolutePath,
  boolean,
  domainPattern,
  interfaceName,
  macAddress,
  port,
  portRange,
  prefix,
  text,
} from "../values/scalars.ts";
import { list, mapping, oneOf, oneOfOrLater, pathItem } from "../values/values.ts";

const prefixes = list(prefix(), "[192.168.0.0/16]");
const interfaces = list(interfaceName(), "[br-lan]");

const ACTIONS = ["bypass", "block", "direct", "deliver"] as const;

/** Keys that only one action uses. */
const ACTION_KEYS = [
  { action: "deliver", key: "deliver-port", needed: true },
  { action: "proxy", key: "upstream", needed: true },
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
    action: v.optional(oneOfOrLater(ACTIONS, "proxy")),
    silent: v.optional(boolean()),
    "deliver-port": v.optional(port()),
    upstream: v.optional(text("the name of an upstream")),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    const rule = dataset.value as Readonly<Record<string, unknown>>;
    if (typeof rule !== "object" || rule === null) return;
    const { action } = rule;
    if (!Object.hasOwn(rule, "action")) {
      addIssue({ message: "a rule needs an action: bypass, block, direct or deliver" });
    }
    if (Object.hasOwn(rule, "in") && Object.hasOwn(rule, "interfaces")) {
      addIssue({ message: "in and interfaces are the same key", path: [pathItem(rule, "interfaces")] });
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
