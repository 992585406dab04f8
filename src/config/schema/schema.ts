/**
 * The keys of the config and what each of them takes. No defaults: those are in defaults.ts.
 * @module
 */
import * as v from "valibot";
import { ruleItem } from "./rule_schema.ts";
import {
  absolutePath,
  boolean,
  duration,
  DURATION_JSON,
  INTERFACE_JSON,
  interfaceName,
  mark,
  PATH_JSON,
  port,
  PORT_RANGE_JSON,
  portRange,
  routeTable,
  text,
} from "../values/scalars.ts";
import { checks } from "./check_schema.ts";
import { groups } from "./group_schema.ts";
import { upstreams } from "./upstream_schema.ts";
import { endpoint } from "../values/hosts.ts";
import { integer, list, mapping, oneOf, section, value, wordOr } from "../values/values.ts";

const MAX_WORKERS = 256;
const MAX_COUNT = 2 ** 31 - 1;

function autoOr(expected: string, max: number) {
  const schema = integer({ expected, min: 1, max });
  return v.optional(wordOr("auto", { schema, json: { type: "integer", minimum: 1, maximum: max } }));
}

function neverOrDuration() {
  return v.optional(wordOr("never", { schema: duration(1), json: DURATION_JSON }));
}

const path = { schema: absolutePath(), json: PATH_JSON };
const protocols = list(oneOf("tcp", "udp"), "[tcp, udp]");
const families = list(oneOf("ipv4", "ipv6"), "[ipv4, ipv6]");
const interfaces = list(interfaceName(), "[br-lan]");
const ports = list(portRange(), '[80, 443, "8000-8100"]');

/** The whole file. */
export const CONFIG_SCHEMA = mapping({
  version: v.optional(value<1>({
    expected: "1, the only version there is",
    parse: (input) => input === 1 ? 1 : undefined,
    json: { const: 1 },
  })),
  intercept: section({
    interfaces: v.optional(
      wordOr("auto", { schema: interfaces, json: { type: "array", minItems: 1, items: INTERFACE_JSON } }),
    ),
    protocols: v.optional(protocols),
    ports: v.optional(
      wordOr("all", { schema: ports, json: { type: "array", minItems: 1, items: PORT_RANGE_JSON } }),
    ),
    families: v.optional(families),
    "router-traffic": v.optional(boolean()),
    "on-failure": v.optional(oneOf("open", "reset", "drop")),
    mptcp: v.optional(oneOf("relay", "forward")),
    admission: v.optional(oneOf("forward-path", "early")),
  }),
  listener: section({
    port: v.optional(port()),
    workers: autoOr("a number of threads", MAX_WORKERS),
  }),
  kernel: section({
    mark: v.optional(mark()),
    table: v.optional(routeTable()),
    backend: v.optional(oneOf("netlink", "iptables")),
  }),
  source: v.optional(oneOf("client", "client-address", "router")),
  rules: v.nullish(v.array(ruleItem, "expected a list of rules, each beginning with -")),
  default: v.optional(oneOf("bypass", "direct", "block", "proxy")),
  "default-upstream": v.optional(text("the name of an upstream or of a group")),
  upstreams,
  groups,
  checks,
  udp: section({
    filtering: v.optional(oneOf("endpoint-independent", "address-and-port-dependent")),
    tos: v.optional(oneOf("carry", "clear")),
  }),
  timeouts: section({
    connect: v.optional(duration(1)),
    "tcp-idle": neverOrDuration(),
    "half-closed": neverOrDuration(),
    "udp-idle": v.optional(duration(1)),
    "udp-dns": v.optional(duration(1)),
    sniff: v.optional(duration(1)),
    drain: v.optional(duration(0)),
  }),
  limits: section({
    connections: autoOr("a number of connections", MAX_COUNT),
    "per-client": v.optional(
      integer({ expected: "a number of connections (0: no limit)", min: 0, max: MAX_COUNT }),
    ),
    "udp-sessions": v.optional(integer({ expected: "a number of sessions", min: 1, max: MAX_COUNT })),
  }),
  control: v.optional(wordOr("off", path)),
  metrics: v.optional(wordOr("off", { schema: endpoint(), json: { type: "string" } })),
  log: section({
    level: v.optional(oneOf("error", "warn", "info", "debug")),
    format: v.optional(oneOf("text", "json")),
    access: v.optional(
      wordOr("off", { schema: wordOr("on", path), json: { anyOf: [{ const: "on" }, PATH_JSON] } }),
    ),
  }),
});

/** A valid file, with the keys as they are written. */
export type ConfigFile = v.InferOutput<typeof CONFIG_SCHEMA>;
