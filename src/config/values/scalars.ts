/**
 * The single values of the config.
 * @module
 */
import { hex } from "../../net/hex.ts";
import type { Prefix } from "../../net/ip.ts";
import { Marks } from "../../marks.ts";
import { formatDuration, parseDuration } from "./duration.ts";
import { NETWORK_EXPECTED, parseNetwork } from "./networks.ts";
import { asText, parsePortRange } from "./ports.ts";
import type { PortRange } from "../types.ts";
import type { MaskedMark } from "../upstreams/types.ts";
import { integer, isInteger, type JsonSchema, Refusal, value } from "./values.ts";

/** Timers count in 32 bits of milliseconds. */
const MAX_DURATION_MS = 24 * 24 * 3_600_000;

/** A number in any notation of C but the octal one. */
const NUMBER = /^(0x[0-9a-f]+|\d+)$/i;
/** The mark of a packet has 32 bits. */
const WHOLE_MARK = 0xffffffff;

/** JSON Schema of a duration. */
export const DURATION_JSON: JsonSchema = {
  type: "string",
  pattern: "^(?=.)(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?(\\d+ms)?$",
};

/** `10s`, at least `minMs`. */
export function duration(minMs: number) {
  const least = minMs === 0 ? "0s" : formatDuration(minMs);
  return value<number>({
    expected: "a duration such as 300ms, 10s, 1m30s or 2h",
    parse: (input) => {
      if (isInteger(input) && input !== 0) return new Refusal(`a unit, such as ${input}s or ${input}ms`);
      const milliseconds = input === 0 ? 0 : parseDuration(asText(input));
      if (milliseconds === undefined) return undefined;
      if (milliseconds >= minMs && milliseconds <= MAX_DURATION_MS) return milliseconds;
      return new Refusal(`a duration from ${least} to ${formatDuration(MAX_DURATION_MS)}`);
    },
    json: DURATION_JSON,
  });
}

/** `true` or `false`. */
export function boolean() {
  return value<boolean>({
    expected: "true or false",
    parse: (input) => typeof input === "boolean" ? input : undefined,
    json: { type: "boolean" },
  });
}

/** One port. */
export function port() {
  return integer({ expected: "a port", min: 1, max: 65535 });
}

const PORT_PATTERN = "^\\d{1,5}(-\\d{1,5})?$";

/** JSON Schema of `portRange`. */
export const PORT_RANGE_JSON = {
  anyOf: [{ type: "integer", minimum: 1, maximum: 65535 }, { type: "string", pattern: PORT_PATTERN }],
};

/** `443` or `"8000-8100"`. */
export function portRange() {
  return value<PortRange>({
    expected: 'a port, 1 to 65535, or a range such as "8000-8100"',
    parse: parsePortRange,
    json: PORT_RANGE_JSON,
  });
}

/** The name of a network interface as the kernel allows it. */
export function interfaceName() {
  return value<string>({
    expected: "the name of a network interface, at most 15 bytes",
    parse: (input) => {
      const name = asText(input);
      const bytes = new TextEncoder().encode(name).length;
      const allowed = /^[^\s/:]+$/.test(name) && name !== "." && name !== "../.." && bytes <= 15;
      return allowed ? name : undefined;
    },
    json: INTERFACE_JSON,
  });
}

/** JSON Schema of `interfaceName`. */
export const INTERFACE_JSON = { type: "string", pattern: "^[^\\s/:]{1,15}$" };

/** `10.0.0.0/8`, `fc00::/7` or an address alone. */
export function prefix() {
  return value<Prefix>({
    expected: NETWORK_EXPECTED,
    parse: (input) => parseNetwork(asText(input)),
    json: { type: "string" },
  });
}

/**
 * The packet mark. The bits above it that are ours too must be bits of a mark; `planInstall` wants room for
 * one more where the router's own traffic is intercepted.
 */
export function mark() {
  const max = Marks.largest(false);
  return value<number>({
    expected: `a mark from 0x1 to ${hex(max)} (the ${Marks.bitsAbove(false)} bits above it are used as well)`,
    parse: (input) => {
      const number = typeof input === "string" && NUMBER.test(input) ? Number(input) : input;
      return isInteger(number) && number >= 1 && number <= max ? number : undefined;
    },
    json: {
      anyOf: [{ type: "integer", minimum: 1, maximum: max }, {
        type: "string",
        pattern: "^0[xX][0-9a-fA-F]+$",
      }],
    },
  });
}

/** Bits of a mark that are somebody else's: `0x200`, or `0x200/0xf00` with the bits that it touches. */
export function maskedMark() {
  return value<MaskedMark>({
    expected: "a mark such as 0x200, or 0x200/0xf00 with the bits that are set anew",
    parse: (input) => {
      const written = typeof input === "number" ? [input] : asText(input).split("/");
      const [bits, mask = bits] = written.map((part) => NUMBER.test(String(part)) ? Number(part) : NaN);
      const fits = isInteger(bits) && isInteger(mask) && bits <= WHOLE_MARK && mask >= 1 &&
        mask <= WHOLE_MARK;
      return written.length <= 2 && fits && (bits & ~mask) === 0 ? { value: bits, mask } : undefined;
    },
    json: {
      anyOf: [{ type: "integer", minimum: 1, maximum: WHOLE_MARK }, {
        type: "string",
        pattern: "^(0[xX][0-9a-fA-F]+|\\d+)(/(0[xX][0-9a-fA-F]+|\\d+))?$",
      }],
    },
  });
}

/** A routing table of our own. */
export function routeTable() {
  return value<number>({
    expected:
      "the number of a routing table, 1 to 4294967295 but not 253, 254 or 255, which are the kernel's own",
    parse: (input) =>
      isInteger(input) && input >= 1 && input <= 0xffffffff && !(input >= 253 && input <= 255)
        ? input
        : undefined,
    json: { type: "integer", minimum: 1, maximum: 0xffffffff, not: { enum: [253, 254, 255] } },
  });
}

/** Any text that is not empty. `expected` says what it is. */
export function text(expected: string) {
  return value<string>({
    expected,
    parse: (input) => typeof input === "string" && /^\P{Cc}+$/u.test(input) ? input : undefined,
    json: { type: "string", minLength: 1 },
  });
}

/** A path that does not depend on where the program is started. */
export function absolutePath() {
  return value<string>({
    expected: "a path that begins with /",
    parse: (input) => /^\/[^\0]*$/.test(asText(input)) ? asText(input) : undefined,
    json: PATH_JSON,
  });
}

/** JSON Schema of `absolutePath`. */
export const PATH_JSON: JsonSchema = { type: "string", pattern: "^/" };

/** `aa:bb:cc:dd:ee:ff`, in lower case. */
export function macAddress() {
  return value<string>({
    expected: "a hardware address such as 02:00:5e:10:00:01",
    parse: (input) =>
      /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(asText(input)) ? asText(input).toLowerCase() : undefined,
    json: { type: "string", pattern: "^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$" },
  });
}
