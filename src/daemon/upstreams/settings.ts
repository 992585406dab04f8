/**
 * Upstreams as workers are given them, from the config, its passwords and the addresses of names. Pure.
 * @module
 */
import { makeSockaddr, writeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import type { Secrets } from "../../config/files/secrets.ts";
import type { Config } from "../../config/types.ts";
import type { HostAndPort, UpstreamConfig } from "../../config/upstreams/types.ts";
import type { UpstreamProtocol, UpstreamSettings } from "../../dataplane/upstream/settings.ts";
import type { Sockaddr } from "../../dataplane/upstream/upstream.ts";
import type { IpAddress } from "../../net/ip.ts";

/** Facts that the config does not tell. */
export interface UpstreamFacts {
  readonly secrets: Secrets;
  /** The addresses of a name, as far as they are known. */
  readonly addressesOf: (host: string) => readonly IpAddress[];
  /** The place of an upstream in the UpstreamHealth. */
  readonly placeOf: (name: string) => number;
}

/** An upstream that is dialled at a place of its own. */
export type DialledUpstream = Exclude<UpstreamConfig, { readonly type: "direct" }>;

/** By number: in the order of the config. */
export function upstreamSettings(
  { upstreams }: Pick<Config, "upstreams">,
  facts: UpstreamFacts,
): UpstreamSettings[] {
  return Object.entries(upstreams).map(([name, upstream]) => ({
    name,
    place: facts.placeOf(name),
    fall: upstream.check.fall,
    addresses: isDialled(upstream) ? sockaddrsOf(upstream.address, facts.addressesOf) : [],
    protocol: protocolOf(name, upstream, facts.secrets),
  }));
}

/** Tells whether it has an address. */
export function isDialled(upstream: UpstreamConfig): upstream is DialledUpstream {
  return upstream.type !== "direct";
}

/** The place that checks dial: its own, or a server that is reached by it; undefined: there is none. */
export function checkedPlace(upstream: UpstreamConfig): HostAndPort | undefined {
  if (isDialled(upstream)) return upstream.address;
  const { target } = upstream.check;
  return target === "none" ? undefined : target;
}

/** The addresses that a place is dialled at. */
export function sockaddrsOf(
  place: HostAndPort,
  addressesOf: UpstreamFacts["addressesOf"],
): Sockaddr[] {
  const addresses = "host" in place ? addressesOf(place.host) : [place.address];
  return addresses.map((address) => {
    const sockaddr = makeSockaddr();
    writeSockaddr(sockaddr, { address, port: place.port });
    return sockaddr;
  });
}

function protocolOf(name: string, upstream: UpstreamConfig, secrets: Secrets): UpstreamProtocol {
  switch (upstream.type) {
    case "socks5":
    case "http-connect": {
      const { type, username, send } = upstream;
      const password = secrets.get(name)?.reveal() ?? new Uint8Array();
      const credentials = username === undefined
        ? null
        : { username: new TextEncoder().encode(username), password };
      const udpAddress = upstream.type === "socks5" && upstream.udpAddress !== undefined
        ? sockaddrsOf({ address: upstream.udpAddress, port: 0 }, () => [])[0]
        : null;
      return { type, credentials, sends: send, udpAddress };
    }
    case "forward": {
      const { type, proxyProtocol, source } = upstream;
      return { type, header: proxyProtocol === undefined ? null : proxyProtocol === "v1" ? 1 : 2, source };
    }
    case "direct": {
      const { type, interface: out = null, mark = null, source } = upstream;
      return { type, interface: out, mark, source };
    }
    default:
      throw new TypeError(`No upstream ${JSON.stringify(upstream satisfies never)}`);
  }
}
