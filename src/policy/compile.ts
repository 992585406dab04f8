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
  NAMES_MISSING,
  NEVER_TOLD,
  type PolicyImage,
  PROTOCOL_BITS,
  RULE,
  WIDTH,
} from "./image.ts";
import { FLOW_KINDS } from "./routes/kinds.ts";
import { hasNames } from "./conditions.ts";
import type { NameImages } from "./name_sets.ts";
import { setSize, writeSet } from "./networks.ts";
import { defaultRule, type Route, routeOf, sameWay } from "./routes/route.ts";

/**
 * The policy of a config. `generation`: its number among those that this process has used. `nameImages`: the
 * sets of rules with names; a rule whose set is missing can be neither a match nor none.
 */
export function compilePolicy(
  config: Config,
  generation: number,
  nameImages: NameImages = new Map(),
): PolicyImage {
  const interfaces = [...new Set(config.rules.flatMap((rule) => rule.interfaces ?? []))];
  const layout = new Layout(HEADER.size + config.rules.length * RULE.size + interfaces.length);
  const { ports, families, protocols } = config.intercept;
  const names = [...new Set(nameImages.values())];
  const records = config.rules.map((rule, index) => {
    const record = layoutRule(rule, layout, interfaces);
    if (hasNames(rule)) record[RULE.names] = names.indexOf(nameImages.get(index)!) + 1 || NAMES_MISSING;
    return record;
  });
  const routed = [defaultRule(config), ...config.rules];
  const routesByKind = FLOW_KINDS.map((kind) => routed.map((rule) => routeOf(rule, config, kind)));
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
  const ways = writeEffects(tables, routesByKind);
  tables.fill(NEVER_TOLD, interfaceWords, interfaceWords + interfaces.length);
  layout.write(tables, interfaceWords);
  return {
    generation,
    tables: buffer,
    routes: config.rules.map((rule) => routeOf(rule, config)),
    otherwise: routeOf(defaultRule(config), config),
    routesByKind,
    ways,
    upstreams: Object.keys(config.upstreams),
    names,
    interfaces,
  };
}

/** Gives equal numbers to equal ways. Returns these by number. */
function writeEffects(tables: Int32Array, routesByKind: PolicyImage["routesByKind"]): Route[] {
  const ways: Route[] = [];
  for (const [kind, routes] of routesByKind.entries()) {
    for (const [place, route] of routes.entries()) {
      let effect = ways.findIndex((way) => sameWay(way, route));
      if (effect < 0) effect = ways.push(route) - 1;
      const at = place === 0 ? HEADER.effects : HEADER.size + (place - 1) * RULE.size + RULE.effects;
      tables[at + kind] = effect;
    }
  }
  return ways;
}

/** The record of a rule; its sets are given their places. */
function layoutRule(rule: RuleConfig, layout: Layout, interfaces: readonly string[]): number[] {
  const { protocol, ports, from, to, mac } = rule;
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
