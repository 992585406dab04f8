/**
 * A random router in namespaces: built, tried, and what was seen.
 * @module
 */
import { FIELD, PLACES, type Places } from "../field/places.ts";
import { addPlaces } from "../field/places.ts";
import { type Lab, openLab } from "../lab.ts";
import { delay } from "../machine/wait.ts";
import type { Namespace } from "../namespace.ts";
import { startProxy } from "../proxy/proxy.ts";
import { endProxy } from "../proxy/router_proxy.ts";
import { callFlow, type Ended } from "./calls.ts";
import { readConntrack, readWatches, watchHost } from "./observe.ts";
import { hasBridge, type RandomRouter, rulesText, withLan } from "./router.ts";
import { Services } from "./services.ts";

/** Between the beginnings of two flows. */
const PACE_MS = 12;

/** Everything that was seen of a router's flows. */
export interface Seen {
  readonly flows: readonly Ended[];
  /** Lines of services, hosts' kernels and the router's conntrack, by subject. */
  readonly lists: Readonly<Record<string, readonly string[]>>;
  /** Connections and sessions that the proxy counts. */
  readonly passed: number;
  /** The proxy's log, and the commands so far. */
  readonly report: string;
}

/** Builds the router, tries its flows, takes it down. */
export async function tryRouter(
  router: RandomRouter,
  { proxy = false, fault }: { proxy?: boolean; fault?: string } = {},
): Promise<Seen> {
  const lab = await openLab({ forwarding: true });
  const services: Services[] = [];
  try {
    const places = await addPlaces(lab);
    await build(lab, places, router);
    for (const name of PLACES) services.push(new Services(name, places[name], addressesOf(name)));
    services.push(new Services("router", lab.router, addressesOf("router")));
    const running = proxy ? await start(lab, router) : undefined;
    if (fault !== undefined) await lab.router.run(["sh", "-ec", fault]);
    const flows = await tryFlows(lab, places, router);
    await delay(50);
    for (const service of services) service.close();
    const lists = {
      ...await readWatches(places),
      conntrack: await readConntrack(lab.router),
      services: services.flatMap(({ seen }) => seen).sort(),
    };
    const counts = running === undefined ? undefined : await endProxy(running);
    return {
      flows,
      lists,
      passed: counts === undefined ? 0 : counts.accepted + (counts["udp-sessions"] ?? 0),
      report: [...lab.transcript, running?.log ?? ""].join("\n"),
    };
  } finally {
    for (const service of services) service.close();
    await lab.close();
  }
}

function addressesOf(name: string): string[] {
  const names = name === "router"
    ? ["lan", "wan", "wan2", "guests", "dmz"] as const
    : name === "server" || name === "other"
    ? [name, "anycast"] as const
    : [name as keyof typeof FIELD];
  return names.flatMap((each) => [FIELD[each][4], FIELD[each][6]]);
}

async function build(lab: Lab, places: Places, router: RandomRouter): Promise<void> {
  const neighbours = Object.fromEntries(
    ["ipv4", "ipv6"].flatMap((family) =>
      ["r0", "r1", "r2", "r3", "r4"].map((link) => [`net.${family}.neigh.${link}.retrans_time_ms`, 100])
    ),
  );
  await Promise.all([
    ...Object.values(places).map((host) => prepareHost(host)),
    lab.router.writeSysctl({
      ...neighbours,
      "net.ipv4.icmp_msgs_per_sec": 10_000,
      "net.ipv4.icmp_msgs_burst": 10_000,
    }),
    places.server.run(["ip", "route", "add", "203.0.113.8/29", "via", FIELD.wan[4]]),
  ]);
  for (const kind of ["links", "commands", "host"] as const) {
    for (const piece of router.pieces) {
      if (piece.kind !== kind) continue;
      const where = piece.kind === "host" ? places[piece.place as keyof Places] : lab.router;
      // What fails does so in both worlds.
      const text = piece.kind === "commands" ? withLan(router, piece.commands) : piece.commands;
      await where.run(["sh", "-c", text], { mayFail: true });
    }
  }
  await lab.router.nft(rulesText(router));
}

async function prepareHost(host: Namespace): Promise<void> {
  await host.nft(`table inet odd {
    chain input {
      type filter hook input priority 0;
      iif lo accept
      th dport 7 drop
      ct state new th dport 13 reject with icmpx admin-prohibited
      th dport 17 reject with icmpx host-unreachable
      tcp dport 19 reject with tcp reset
    }
  }`);
  await host.writeSysctl({
    "net.ipv4.icmp_ratelimit": 0,
    "net.ipv6.icmp.ratelimit": 0,
    "net.ipv4.icmp_msgs_per_sec": 10_000,
    "net.ipv4.icmp_msgs_burst": 10_000,
  });
  await watchHost(host);
}

async function start(lab: Lab, router: RandomRouter) {
  const lan = hasBridge(router) ? "br-lan" : "r0";
  const proxy = await startProxy(lab, {
    config: { ...router.config, intercept: { interfaces: [lan, "r4"], protocols: ["tcp", "udp"] } },
  });
  // From here on clients' new flows leave the router through the proxy alone.
  await lab.router.nft(`table inet random_guard {
    chain leaving {
      type filter hook postrouting priority 350; policy accept;
      ct state established,related accept
      iifname { "r0", "r4", "br-lan" } oifname { "r1", "r2", "r3" } meta l4proto { tcp, udp } counter drop
    }
  }`);
  return proxy;
}

async function tryFlows(lab: Lab, places: Places, router: RandomRouter): Promise<Ended[]> {
  const calls: Promise<Ended>[] = [];
  for (const flow of router.flows) {
    const from = flow.from === "router" ? lab.router : places[flow.from as keyof Places];
    calls.push(callFlow(from, flow));
    await delay(PACE_MS);
  }
  return await Promise.all(calls);
}
