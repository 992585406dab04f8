/**
 * Resolves the name of an upstream, as /etc/resolv.conf says.
 * @module
 */
import { makeSockaddr, writeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { errnoCode } from "../../../net/errno.ts";
import { type Family, formatIp, type IpAddress } from "../../../net/ip.ts";
import type { Pauses } from "../socket_wait.ts";
import { exchange } from "./exchange.ts";
import type { DnsAnswer } from "./message.ts";
import { namesToAsk, parseResolvConf } from "./resolv_conf.ts";

/** Addresses of a name, or the reason why there are none. */
export type Resolved =
  | { readonly addresses: readonly IpAddress[]; readonly ttlSeconds: number }
  | { readonly failure: string };

/** The outside world. */
export interface ResolveOptions {
  /** SO_MARK of the sockets, 0 for none. */
  readonly mark: number;
  readonly pauses: Pauses;
  /** Throws Deno's errors. */
  readonly readTextFile: (path: string) => string;
  /** Default: 53. */
  readonly port?: number;
}

const FILE = "/etc/resolv.conf";
const PORT = 53;
/** A server that is there has answered by then, or asks its own. */
const TIMEOUT_MS = 2500;
const ROUNDS = 2;
const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];

/** Asks for both families. */
export async function resolveName(name: string, options: ResolveOptions): Promise<Resolved> {
  const conf = parseResolvConf(readOrNothing(options));
  let failure = "the name has no address";
  for (const asked of namesToAsk(name, conf)) {
    const found = await Promise.all(FAMILIES.map((family) => ask(asked, family, conf.servers, options)));
    const good = found.filter((answer) => typeof answer !== "string");
    const addresses = good.flatMap((answer) => answer.addresses);
    if (addresses.length > 0) {
      const ttls = good.filter((answer) => answer.addresses.length > 0).map(({ ttl }) => ttl);
      return { addresses, ttlSeconds: Math.min(...ttls) };
    }
    failure = found.find((answer) => typeof answer === "string") ?? failure;
  }
  return { failure };
}

/** Asks one server after another. Its answer, or the reason why there is none. */
async function ask(
  name: string,
  family: Family,
  servers: readonly IpAddress[],
  { mark, pauses, port = PORT }: ResolveOptions,
): Promise<Extract<DnsAnswer, { kind: "addresses" }> | string> {
  let failure = "";
  for (let round = 0; round < ROUNDS; round++) {
    for (const address of servers) {
      const server = makeSockaddr();
      writeSockaddr(server, { address, port });
      const [id] = crypto.getRandomValues(new Uint16Array(1));
      const answer = await exchange(server, { id, name, family }, { mark, pauses, timeoutMs: TIMEOUT_MS });
      if (typeof answer !== "number" && answer.kind === "addresses") return answer;
      failure = `${formatIp(address)}: ${describe(answer)}`;
    }
  }
  return failure;
}

function describe(answer: Exclude<DnsAnswer, { kind: "addresses" }> | number): string {
  if (typeof answer === "number") return errnoCode(-answer);
  return answer.kind === "failed" ? `RCODE ${answer.code}` : "its answer is too long";
}

function readOrNothing({ readTextFile }: ResolveOptions): string {
  try {
    return readTextFile(FILE);
  } catch {
    return ""; // without it this machine is asked
  }
}
