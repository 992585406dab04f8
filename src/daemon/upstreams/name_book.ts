/**
 * The addresses of upstreams' names: asked for again and again, and the last good ones kept while nobody
 * answers.
 * @module
 */
import type { Logger } from "../../log.ts";
import { formatIp, type IpAddress } from "../../net/ip.ts";
import type { Resolved } from "./dns/resolve.ts";

/** Milliseconds for which an answer is good: its TTL, within these. */
const LEAST_MS = 30_000;
const MOST_MS = 3_600_000;
/** Milliseconds until the attempt after one that has failed: doubled each time. */
const FIRST_RETRY_MS = 2_000;
const MOST_RETRY_MS = 30_000;
/** An upstream has no more addresses than these. */
const MOST_ADDRESSES = 8;

/** Parts that it works with. */
export interface NameBookParts {
  readonly log: Logger;
  resolve(name: string): Promise<Resolved>;
  /** The addresses of a name are others now. */
  changed(host: string): void;
}

interface Entry {
  addresses: readonly IpAddress[];
  nextAt: number;
  retryMs: number;
  asking: boolean;
}

/** See the module. */
export class NameBook {
  readonly #parts: NameBookParts;
  #entries = new Map<string, Entry>();

  constructor(parts: NameBookParts) {
    this.#parts = parts;
  }

  /** The addresses of a name; none: it was never resolved. */
  addressesOf(host: string): readonly IpAddress[] {
    return this.#entries.get(host)?.addresses ?? [];
  }

  /** Keeps these names and forgets all others. */
  keep(hosts: Iterable<string>): void {
    const before = this.#entries;
    this.#entries = new Map();
    for (const host of hosts) {
      this.#entries.set(
        host,
        before.get(host) ?? {
          addresses: [],
          nextAt: 0,
          retryMs: FIRST_RETRY_MS,
          asking: false,
        },
      );
    }
  }

  /** Asks for what is due at this time. */
  tick(now: number): void {
    for (const [host, entry] of this.#entries) {
      if (entry.asking || now < entry.nextAt) continue;
      entry.asking = true;
      this.#parts.resolve(host).then((resolved) => this.#take(host, entry, resolved, now));
    }
  }

  #take(host: string, entry: Entry, resolved: Resolved, now: number): void {
    entry.asking = false;
    const { log } = this.#parts;
    if ("failure" in resolved) {
      const kept = entry.addresses.map(formatIp).join(",");
      if (entry.retryMs === FIRST_RETRY_MS) {
        log.warn("the name of an upstream is not resolved", {
          name: host,
          reason: resolved.failure,
          ...(kept === "" ? {} : { "goes-on-with": kept }),
        });
      }
      entry.nextAt = now + entry.retryMs;
      entry.retryMs = Math.min(2 * entry.retryMs, MOST_RETRY_MS);
      return;
    }
    entry.retryMs = FIRST_RETRY_MS;
    entry.nextAt = now + Math.min(Math.max(resolved.ttlSeconds * 1000, LEAST_MS), MOST_MS);
    const addresses = resolved.addresses.slice(0, MOST_ADDRESSES);
    // Resolvers turn them round with each answer: that is no news.
    if (textOf(addresses) === textOf(entry.addresses)) return;
    entry.addresses = addresses;
    log.info("the name of an upstream is resolved", {
      name: host,
      addresses: addresses.map(formatIp).join(","),
    });
    if (this.#entries.get(host) === entry) this.#parts.changed(host);
  }
}

function textOf(addresses: readonly IpAddress[]): string {
  return addresses.map(formatIp).toSorted().join();
}
