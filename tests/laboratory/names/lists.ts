/**
 * Lists of names in the shapes that are found in the world.
 * @module
 */
import { Random } from "../proxy/policies.ts";

const HOSTS = ["ads", "adserver", "track", "tracking", "pixel", "stats", "metrics", "telemetry", "cdn", "s1"];
const WORDS = [
  "click",
  "media",
  "shop",
  "news",
  "analytics",
  "cloud",
  "data",
  "web",
  "game",
  "mobile",
  "best",
];
const ENDS = ["com", "com", "com", "net", "org", "io", "de", "co.uk", "ru", "com.cn", "xyz", "info"];

/** Distinct names, of 20 bytes on average; the same for the same seed. */
export function makeNames(count: number, seed = 1): string[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, index) => {
    const host = random.chance(35)
      ? `${random.one(HOSTS)}${random.chance(20) ? random.below(100) : ""}.`
      : "";
    const hyphen = random.chance(20) ? "-" : "";
    return `${host}${random.one(WORDS)}${hyphen}${index.toString(36)}.${random.one(ENDS)}`;
  });
}

/** Formats of lists: the line of a name, and the lines before the first. */
export const LIST_FORMATS = {
  hosts: {
    head: [
      "# Title: Unified hosts file",
      "",
      "127.0.0.1 localhost",
      "127.0.0.1 localhost.localdomain",
      "127.0.0.1 local",
      "255.255.255.255 broadcasthost",
      "::1 localhost",
      "fe80::1%lo0 localhost",
      "ff02::1 ip6-allnodes",
      "0.0.0.0 0.0.0.0",
      "",
    ],
    line: (name: string) => `0.0.0.0 ${name}`,
  },
  bare: { head: ["# one name on a line", ""], line: (name: string) => name },
  wildcards: { head: ["; name and all below"], line: (name: string) => `.${name}` },
  adblock: {
    head: ["[Adblock Plus]", "! Title: Multi", "! Expires: 1 day", "!"],
    line: (name: string) => `||${name}^`,
  },
  dnsmasq: { head: ["# Compression: on", ""], line: (name: string) => `address=/${name}/0.0.0.0` },
} as const;

/** The file of a list. */
export function makeList(names: readonly string[], format: keyof typeof LIST_FORMATS): Uint8Array {
  const { head, line } = LIST_FORMATS[format];
  return new TextEncoder().encode([...head, ...names.map(line), ""].join("\n"));
}
