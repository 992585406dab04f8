/**
 * The file /etc/resolv.conf: resolv.conf(5). Pure.
 * @module
 */
import { type IpAddress, parseIp } from "../../../net/ip.ts";

/** The part of it that is used. */
export interface ResolvConf {
  /** In their order. */
  readonly servers: readonly IpAddress[];
  /** Domains in which a name without a dot is looked for. */
  readonly search: readonly string[];
}

/** Limits of the C library. */
const MOST_SERVERS = 3;
const MOST_DOMAINS = 6;
const LOCAL: IpAddress = parseIp("127.0.0.1")!;

/** Reads it. Without a server it is this machine. */
export function parseResolvConf(text: string): ResolvConf {
  const servers: IpAddress[] = [];
  let search: string[] = [];
  for (const line of text.split("\n")) {
    const [key, ...values] = line.trim().split(/\s+/);
    if (key === "nameserver" && values.length > 0) {
      const address = parseIp(values[0]);
      if (address !== undefined && servers.length < MOST_SERVERS) servers.push(address);
    } else if (key === "search" || key === "domain") {
      search = values.slice(0, MOST_DOMAINS).map((domain) => domain.replace(/\.$/, ""))
        .filter((domain) => domain !== "");
    }
  }
  return { servers: servers.length === 0 ? [LOCAL] : servers, search };
}

/** The names that are asked for, one after another. */
export function namesToAsk(name: string, { search }: ResolvConf): string[] {
  const bare = name.replace(/\.$/, "");
  return bare.includes(".") || name.endsWith(".")
    ? [bare]
    : [...search.map((domain) => `${bare}.${domain}`), bare];
}
