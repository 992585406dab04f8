/**
 * Networks, one by one and as lists in files of their own.
 * @module
 */
import { formatPrefix, parsePrefix, type Prefix } from "../../net/ip.ts";
import { ConfigError, type ConfigProblem } from "../error.ts";
import { Refusal } from "./values.ts";

/** Bound of a list's size: a few million networks. */
const MAX_CHARACTERS = 64 << 20;
/** A file that is no list at all would fill the terminal. */
const MAX_PROBLEMS = 20;

/** The words for a text that is none. */
export const NETWORK_EXPECTED = "an address or network such as 192.168.1.1, 10.0.0.0/8 or fc00::/7";

/**
 * Reads `10.0.0.0/8`, `fc00::/7` or an address alone. Bits beyond the length are refused: they hide a slip.
 */
export function parseNetwork(text: string): Prefix | Refusal | undefined {
  const prefix = parsePrefix(text);
  if (prefix === undefined) return undefined;
  const network = withoutHostBits(prefix);
  return network === undefined
    ? prefix
    : new Refusal(`a network without host bits, did you mean ${formatPrefix(network)}?`);
}

/** The network of an address that has bits beyond the length; `undefined` if it has none. */
function withoutHostBits({ address, length }: Prefix): Prefix | undefined {
  const { family, bytes } = address;
  const isClear = (byte: number, index: number) => (byte & ~maskByte(length - index * 8)) === 0;
  if (bytes.every(isClear)) return undefined;
  return {
    address: { family, bytes: bytes.map((byte, index) => byte & maskByte(length - index * 8)) },
    length,
  };
}

/** A byte whose first `bits` bits are set. */
function maskByte(bits: number): number {
  return bits >= 8 ? 0xff : bits <= 0 ? 0 : (0xff << (8 - bits)) & 0xff;
}

/**
 * The networks of a list: one on a line; blank lines, and what follows `#` or `;`, do not count. Throws a
 * ConfigError with the places of the first lines that are none.
 */
export function parseNetworkList(text: string, file: string): Prefix[] {
  if (text.length > MAX_CHARACTERS) {
    const size = `${MAX_CHARACTERS >> 20} MiB`;
    throw new ConfigError(file, [{
      line: 0,
      column: 0,
      text: `this list is too large, ${size} are allowed`,
    }]);
  }
  const networks: Prefix[] = [];
  const problems: ConfigProblem[] = [];
  for (const [index, line] of text.replace(/^\ufeff/, "").split("\n").entries()) {
    const entry = line.replace(/[#;].*$/s, "").trim();
    if (entry === "") continue;
    const network = parseNetwork(entry);
    if (network !== undefined && !(network instanceof Refusal)) {
      networks.push(network);
      continue;
    }
    const expected = network instanceof Refusal ? network.expected : NETWORK_EXPECTED;
    const place = { line: index + 1, column: line.indexOf(entry) + 1 };
    if (problems.length === MAX_PROBLEMS) {
      problems.push({ ...place, text: "this and perhaps further lines are wrong too" });
      break;
    }
    problems.push({ ...place, text: `bad value ${shorten(entry)}, expected ${expected}` });
  }
  if (problems.length > 0) throw new ConfigError(file, problems);
  return networks;
}

function shorten(text: string): string {
  const printable = text.replaceAll(/[\p{Cc}\ufffd]/gu, "?");
  return printable.length > 40 ? `${printable.slice(0, 39)}…` : printable;
}
