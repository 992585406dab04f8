/**
 * Upstreams as destinations. Pure.
 * @module
 */
import type { Config } from "../../config/types.ts";
import { type Endpoint, sameIp } from "../../net/ip.ts";

/** An upstream that has one place, which the config names by its address. */
export interface UpstreamPlace {
  readonly name: string;
  readonly place: Endpoint;
}

/** Lists them. The kernel leads nobody to one of these through an upstream. */
export function upstreamPlaces({ upstreams }: Pick<Config, "upstreams">): UpstreamPlace[] {
  return Object.entries(upstreams).flatMap(([name, upstream]) =>
    upstream.type === "direct" || "host" in upstream.address || upstream.address.port === 0
      ? []
      : [{ name, place: upstream.address }]
  );
}

/** Finds the one that a flow goes to. */
export function upstreamAt(config: Pick<Config, "upstreams">, server: Endpoint): string | undefined {
  return upstreamPlaces(config).find(({ place }) =>
    place.port === server.port && sameIp(place.address, server.address)
  )?.name;
}
