/**
 * Filters of connections, as the command line has them. Pure.
 * @module
 */
import { parseDuration } from "../../config/values/duration.ts";
import type { ClosedRow, ConnectionRow } from "../../daemon/control/connections/row.ts";
import { canonicalName } from "../../names/canonical.ts";
import { covers } from "../../names/kinds.ts";
import { parsePattern } from "../../names/pattern.ts";
import { OperationError } from "../../net/error.ts";
import { formatIp, parseEndpoint, parseIp, parsePrefix, type Prefix } from "../../net/ip.ts";
import { compareKeys, prefixRange } from "../../net/ranges.ts";

/** The options; undefined: everything. */
export interface FilterOptions {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly device?: string | undefined;
  readonly rule?: string | undefined;
  readonly upstream?: string | undefined;
  readonly state?: string | undefined;
  readonly older?: string | undefined;
}

/** Tells whether a row is meant. `now`: milliseconds since 1970. */
export type Filter = (row: ConnectionRow | ClosedRow, now: number) => boolean;

/** Reads the options. Throws an OperationError with exit code 2 for one that makes no sense. */
export function readFilter(options: FilterOptions): Filter {
  const parts = [
    ...made(options.from, (text) => place(text, "--from", ({ client, clientPort }) => [client, clientPort])),
    ...made(options.to, readTo),
    ...made(options.device, readDevice),
    ...made(options.rule, readRule),
    ...made(options.upstream, (upstream): Filter => (row) => row.upstream === upstream),
    ...made(options.state, (state): Filter => (row) => row.state === state),
    ...made(options.older, readOlder),
  ];
  return (row, now) => parts.every((part) => part(row, now));
}

/** Tells whether the options leave something out. */
export function filtersAny(options: FilterOptions): boolean {
  const { from, to, device, rule, upstream, state, older } = options;
  return [from, to, device, rule, upstream, state, older].some((option) => option !== undefined);
}

function made(text: string | undefined, make: (text: string) => Filter): Filter[] {
  return text === undefined ? [] : [make(text)];
}

type PlaceOf = (row: ConnectionRow | ClosedRow) => readonly [address: string | null, port: number | null];

/** Reads `192.168.1.0/24`, an address, `192.168.1.5:443` or `:443`. */
function place(text: string, option: string, of: PlaceOf): Filter {
  const found = readPlace(text);
  if (found === undefined) {
    throw wrong(option, text, "expected an address, a network, an address with a port, or :PORT");
  }
  return matchPlace(found, of);
}

interface Place {
  readonly network: Prefix | undefined;
  readonly port: number | undefined;
}

function readPlace(text: string): Place | undefined {
  const port = /^:(\d{1,5})$/.exec(text)?.[1];
  if (port !== undefined) return { network: undefined, port: Number(port) };
  const network = parsePrefix(text);
  if (network !== undefined) return { network, port: undefined };
  const endpoint = parseEndpoint(text);
  return endpoint === undefined ? undefined : {
    network: { address: endpoint.address, length: endpoint.address.bytes.length * 8 },
    port: endpoint.port,
  };
}

function matchPlace({ network, port }: Place, of: PlaceOf): Filter {
  const range = network === undefined ? undefined : prefixRange(network);
  return (row) => {
    const [text, itsPort] = of(row);
    if (port !== undefined && itsPort !== port) return false;
    if (range === undefined) return true;
    const address = text === null ? undefined : parseIp(text);
    return address !== undefined && address.bytes.length === range.from.length &&
      compareKeys(range.from, address.bytes) <= 0 && compareKeys(address.bytes, range.to) <= 0;
  };
}

/** Reads a place, or a name as rules spell it. */
function readTo(text: string): Filter {
  const found = readPlace(text);
  if (found !== undefined) {
    return matchPlace(found, ({ destination, destinationPort }) => [destination, destinationPort]);
  }
  const pattern = parsePattern(text);
  if ("problem" in pattern) {
    throw wrong("--to", text, `expected an address, a network, :PORT, or a name: ${pattern.problem}`);
  }
  const encoder = new TextEncoder();
  const entry = encoder.encode(pattern.name);
  return (row) => {
    const own = row.name === null ? undefined : canonicalName(row.name);
    return own !== undefined && covers(pattern.kind, entry, entry.length, encoder.encode(own));
  };
}

/** Reads the name of a device, its hardware address, or an address of it. */
function readDevice(text: string): Filter {
  const wanted = text.toLowerCase();
  const address = parseIp(text);
  const written = address === undefined ? undefined : formatIp(address);
  return ({ device, mac, client }) =>
    device?.toLowerCase() === wanted || mac === wanted || (written !== undefined && client === written);
}

/** Reads the name of a rule, or what stands for none of them. */
function readRule(rule: string): Filter {
  const isDefault = rule === "default";
  return (row) => row.rule === rule || (isDefault && row.rule === null && row.state !== "deciding");
}

function readOlder(text: string): Filter {
  const age = parseDuration(text);
  if (age === undefined) throw wrong("--older", text, "expected a time such as 90s, 5m or 1h");
  return (row, now) => now - Date.parse(row.started) >= age;
}

function wrong(option: string, text: string, reason: string): OperationError {
  return new OperationError({ operation: `use ${option}`, object: text, reason, usage: true });
}
