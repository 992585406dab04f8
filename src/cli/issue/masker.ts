/**
 * Masks in a text what tells who somebody is: the same thing has the same mask everywhere. Pure.
 * @module
 */
import { DEFAULT_CONFIG } from "../../config/defaults.ts";
import { describeConfig } from "../../config/describe.ts";
import { formatIp, type IpAddress, parseIp } from "../../net/ip.ts";

/** A kind of word that the config names, as its mask begins. */
export type WordKind = "name" | "user" | "rule" | "upstream" | "host";

/** A word that is masked wherever it stands. */
export interface KnownWord {
  readonly kind: WordKind;
  readonly word: string;
}

/** The rules, for whoever reads a masked text. */
export const MASK_RULES: readonly string[] = [
  "Masked, the same thing always by the same mask:",
  "  ipv4-N, ipv6-N    public addresses, and those made of a hardware address; others stay: private, shared,",
  "                    loopback, link-local, multicast. The length of a network stays",
  "  mac-N             hardware addresses",
  "  name-N            names of hosts and domains; host-N: this machine's",
  "  rule-N, upstream-N, user-N    names that the config gives to rules, upstreams and groups; users of proxies, and",
  "                    of this machine in paths below /home",
  "  …                 comments of firewall rules, and what stands before an @ in a URL",
  "Names of interfaces, chains and sets stay. Lists of names and networks, and passwords, are not in it at all.",
  "Read it all the same before you publish it.",
];

const MAC = /\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}\b/gi;
const IPV4 = /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)/g;
const IPV6 = /(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4})(?![\w:])/gi;
/** Long numbers that rules compare with can hold an address. */
const LONG_HEX = /\b0x[0-9a-f]{16,}\b/gi;
const DOMAIN = /(?<![\w./-])(?:[\p{L}\p{N}_-]+\.)+\p{L}{2,}(?![\w-])/gu;
const COMMENT = /(\bcomment (?=")|--comment )("(?:[^"\\]|\\.)*"|\S+)/g;
const USER_INFO = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;
const HOME = /(\/home\/)([^/\s:,;"')]+)/g;
/** Settings of the kernel; files of the machine, as far as no domain can end so. */
const NO_DOMAIN =
  /^net\.(?:ipv4|ipv6|core|netfilter|bridge)\.|\.(?:ya?ml|json|list|conf|cfg|service|nft|sock|txt|ko)$/i;
const KEYS = new Set(describeConfig(DEFAULT_CONFIG).map(([key]) => key));

/** Words of configs and of nft: they tell nothing, and masked they would make the text unreadable. */
const VOCABULARY = new Set(
  ("bypass block direct deliver proxy tcp udp ipv4 ipv6 client router default web dns quic socks5 http-connect " +
    "forward netlink iptables open reset drop auto all tproxy rule rules upstream upstreams group groups " +
    "accept reject return jump goto ip ip6 ct meta set chain table policy input output prerouting " +
    "postrouting lookup present missing works")
    .split(" "),
);
const SHORTEST = 2;

/** The masks of one text. */
export class Masker {
  readonly #masks = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  readonly #words: readonly KnownWord[];

  constructor(words: readonly KnownWord[]) {
    this.#words = words.filter(({ word }) => word.length >= SHORTEST && !VOCABULARY.has(word.toLowerCase()))
      .toSorted((one, other) => other.word.length - one.word.length);
  }

  /** Masks a text. */
  mask(text: string): string {
    let masked = text.replace(COMMENT, "$1…").replace(USER_INFO, "$1…@")
      .replace(HOME, (_, path, user) => `${path}${this.#maskOf("user", user)}`);
    for (const { kind, word } of this.#words) {
      masked = masked.replace(wholeWord(word), (found) => this.#maskOf(kind, found));
    }
    return masked.replace(LONG_HEX, "0x…")
      .replace(MAC, (found) => this.#maskOf("mac", found.replaceAll("-", ":")))
      .replace(IPV6, (found) => this.#address(found))
      .replace(IPV4, (found) => this.#address(found))
      .replace(
        DOMAIN,
        (found) => NO_DOMAIN.test(found) || KEYS.has(found) ? found : this.#maskOf("name", found),
      );
  }

  #address(text: string): string {
    const address = parseIp(text);
    if (address === undefined || !tellsWho(address)) return text;
    return this.#maskOf(address.family, formatIp(address));
  }

  #maskOf(kind: string, found: string): string {
    const key = `${kind} ${found.toLowerCase()}`;
    const known = this.#masks.get(key);
    if (known !== undefined) return known;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const mask = `${kind}-${count}`;
    this.#masks.set(key, mask);
    return mask;
  }
}

/** Stands by itself: a mask that is there already does not contain one. */
function wholeWord(word: string): RegExp {
  const escaped = word.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  return new RegExp(`(?<![\\p{L}\\p{N}_-])${escaped}(?![\\p{L}\\p{N}_-])`, "giu");
}

/** Tells whether an address is one that can be found from outside, or holds a hardware address. */
function tellsWho({ family, bytes }: IpAddress): boolean {
  const [a, b] = bytes;
  if (family === "ipv4") {
    return !(a === 0 || a === 10 || a === 127 || a >= 224 || (a === 100 && b >= 64 && b < 128) ||
      (a === 169 && b === 254) || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168));
  }
  if (bytes[11] === 0xff && bytes[12] === 0xfe) return true;
  const isUnspecified = bytes.subarray(0, 15).every((byte) => byte === 0) && bytes[15] <= 1;
  return !(isUnspecified || a === 0xff || (a & 0xfe) === 0xfc || (a === 0xfe && (b & 0xc0) === 0x80));
}
