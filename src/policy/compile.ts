/**
 * From the config to the compiled policy. Pure.
 * @module
 */
import type { Config, PortRange, RuleConfig } from "../config/types.ts";
import type { Family, Prefix } from "../net/ip.ts";
import { type KeyRange, mergeRanges, prefixRange } from "../net/ranges.ts";
import { PROTOCOL_NUMBERS } from "./flow.ts";
import {
  FAMILY_BITS,
  HEADER,
  NEVER_TOLD,
  type PolicyImage,
  PROTOCOL_BITS,
  type Route,
  RULE,
  WIDTH,
} from "./image.ts";
import { setSize, writeSet } from "./networks.ts";

/** The policy of a config. `generation`: its number among those that this process has used. */
export function compilePolicy(config: Config, generation: number): PolicyImage {
  const interfaces = [...new Set(config.rules.flatMap((rule) => rule.interfaces ?? []))];
  const layout = new Layout(HEADER.size + config.rules.length * RULE.size + interfaces.length);
  const { ports, families, protocols } = config.intercept;
  const records = config.rules.map((rule) => layoutRule(rule, layout, interfaces));
  const interceptedPorts = ports === "all" ? 0 : layout.set(portRanges(ports), WIDTH.port);

  const buffer = new SharedArrayBuffer(layout.size * Int32Array.BYTES_PER_ELEMENT);
  const tables = new Int32Array(buffer);
  const interfaceWords = HEADER.size + config.rules.length * RULE.size;
  tables[HEADER.rules] = config.rules.length;
  for (const family of families) tables[HEADER.families] |= FAMILY_BITS[family];
  for (const protocol of protocols) tables[HEADER.protocols] |= PROTOCOL_BITS[protocol];
  tables[HEADER.ports] = interceptedPorts;
  tables[HEADER.interfaces] = interfaceWords;
  for (const [index, record] of records.entries()) tables.set(record, HEADER.size + index * RULE.size);
  tables.fill(NEVER_TOLD, interfaceWords, interfaceWords + interfaces.length);
  layout.write(tables, interfaceWords);
  return {
    generation,
    tables: buffer,
    routes: config.rules.map((rule) => routeOf(rule, config)),
    otherwise: routeOf({ name: "default", action: config.default }, config),
    interfaces,
  };
}

function routeOf(rule: Omit<RuleConfig, keyof Matchers>, { source }: Config): Route {
  const { name, action, silent, deliverPort, upstream } = rule;
  return {
    name,
    action,
    silent: silent === true,
    deliverPort: deliverPort ?? 0,
    upstream: upstream ?? null,
    source,
  };
}

type Matchers = Pick<RuleConfig, "from" | "to" | "ports" | "protocol" | "interfaces" | "mac" | "domains">;

/** The record of a rule; its sets are given their places. */
function layoutRule(rule: RuleConfig, layout: Layout, interfaces: readonly string[]): number[] {
  const { protocol, ports, from, to, mac, domains } = rule;
  const record = new Array<number>(RULE.size).fill(0);
  if (protocol !== undefined) record[RULE.protocol] = PROTOCOL_NUMBERS[protocol];
  if (ports !== undefined) record[RULE.ports] = layout.set(portRanges(ports), WIDTH.port);
  if (from !== undefined) {
    record[RULE.from4] = layout.set(networkRanges(from, "ipv4"), WIDTH.ipv4);
    record[RULE.from6] = layout.set(networkRanges(from, "ipv6"), WIDTH.ipv6);
  }
  if (to !== undefined) {
    record[RULE.to4] = layout.set(networkRanges(to, "ipv4"), WIDTH.ipv4);
    record[RULE.to6] = layout.set(networkRanges(to, "ipv6"), WIDTH.ipv6);
  }
  if (rule.interfaces !== undefined) {
    record[RULE.interfaces] = layout.places(rule.interfaces.map((name) => interfaces.indexOf(name)));
  }
  if (mac !== undefined) record[RULE.mac] = layout.set(macRanges(mac), WIDTH.mac);
  if (domains !== undefined) record[RULE.domains] = 1;
  return record;
}

function portRanges(ports: readonly PortRange[]): KeyRange[] {
  return mergeRanges(ports.map(({ first, last }) => ({ from: portKey(first), to: portKey(last) })));
}

function portKey(port: number): Uint8Array {
  return Uint8Array.of(port >> 8, port & 0xff);
}

function networkRanges(networks: readonly Prefix[], family: Family): KeyRange[] {
  return mergeRanges(networks.filter(({ address }) => address.family === family).map(prefixRange));
}

function macRanges(macs: readonly string[]): KeyRange[] {
  return mergeRanges(macs.map((text) => {
    const key = Uint8Array.from(text.split(":"), (byte) => Number.parseInt(byte, 16));
    return { from: key, to: key };
  }));
}

/** Gives sets their places before the memory is there. */
class Layout {
  size: number;
  readonly #sets: { at: number; ranges: readonly KeyRange[]; width: number }[] = [];
  readonly #lists: { at: number; places: readonly number[] }[] = [];

  constructor(size: number) {
    this.size = size;
  }

  /** The place of a set. */
  set(ranges: readonly KeyRange[], width: number): number {
    const at = this.size;
    this.#sets.push({ at, ranges, width });
    this.size += setSize(ranges, width);
    return at;
  }

  /** The place of a list of interfaces, which are given by their order. */
  places(places: readonly number[]): number {
    const at = this.size;
    this.#lists.push({ at, places });
    this.size += 1 + places.length;
    return at;
  }

  write(tables: Int32Array, interfaceWords: number): void {
    for (const { at, ranges, width } of this.#sets) writeSet(tables, at, ranges, width);
    for (const { at, places } of this.#lists) {
      tables[at] = places.length;
      tables.set(places.map((place) => interfaceWords + place), at + 1);
    }
  }
}
