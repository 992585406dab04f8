/**
 * The world of the soak: the laboratory behind masquerade, a server that knows what it will be asked, two
 * SOCKS5 proxies, and the configs that the proxy takes in turn.
 *
 * ```
 *   soak_load client ── router (tproxy run --install) ─┬─ :7000, :7002 dialled; :7003 watched ── soak_load
 *                                                      └─ :7001, :7002 by name ── microsocks, Dante ──┘
 * ```
 * @module
 */
import { ADDRESSES, type Lab } from "../../../tests/laboratory/lab.ts";
import { makeNames } from "../../../tests/laboratory/names/lists.ts";
import {
  type ConfigText,
  type Proxy,
  startProxy,
  writeConfig,
} from "../../../tests/laboratory/proxy/proxy.ts";
import { startDante, startMicrosocks } from "../../../tests/laboratory/upstreams/proxies.ts";

/** Ports of the server, as load/ports.h has them. */
const PORTS = { upstream: 7001, named: 7002, watched: 7003, vanishing: "61000-61999" } as const;
/** Each good config refuses one of them. */
export const PROBED_PORTS = [7101, 7102] as const;
const MICROSOCKS_PORT = 1080;
const DANTE_PORT = 1081;
/** Names of the block list beside the one that is asked for; a reload changes them. */
const LISTED = 2000;
/** Ports whose flows may leave the router by the proxy alone. */
const RELAYED = "7000-7002";

/** Longest silences, longer than those of live flows (load/client.c); who has vanished is over after them. */
export const IDLE_SECONDS = { tcp: 10, udp: 5 } as const;

/** Prepares the server's side, and the counter of what gets past the proxy. */
export async function furnish(lab: Lab): Promise<void> {
  // Every refusal is told, however many there are in a second.
  for (const namespace of [lab.router, lab.server]) {
    await namespace.writeSysctl({ "net.ipv4.icmp_ratelimit": 0, "net.ipv6.icmp.ratelimit": 0 });
  }
  await startMicrosocks(lab, { port: MICROSOCKS_PORT, asks: false });
  await startDante(lab, { port: DANTE_PORT });
  await lab.client.nft(`table inet soak {
    chain output {
      type filter hook output priority 0;
      tcp sport ${PORTS.vanishing} tcp flags & rst == rst drop comment "who has vanished says nothing"
    }
  }`);
  await lab.router.nft(`table inet soak {
    chain postrouting {
      type filter hook postrouting priority 350;
      iif "r0" ct state new meta l4proto { tcp, udp } th dport ${RELAYED} counter
    }
  }`);
}

/** Packets of new flows that the kernel has forwarded past the proxy. */
export async function countPast(lab: Lab): Promise<number> {
  const { stdout } = await lab.router.run(["nft", "list", "chain", "inet", "soak", "postrouting"]);
  return Number(/packets (\d+)/.exec(stdout)![1]);
}

/** The config of a round, and the port that it refuses. */
export function goodConfig(lab: Lab, round: number): { config: ConfigText; refused: number; open: number } {
  const [refused, open] = round % 2 === 0 ? PROBED_PORTS : [...PROBED_PORTS].reverse();
  const { upstream, named, watched } = PORTS;
  const server = ADDRESSES[4].server;
  const ads = lab.writeFile("ads.list", `||ads.example^\n${makeNames(LISTED + round % 7).join("\n")}\n`);
  const config = {
    intercept: { protocols: ["tcp", "udp"] },
    rules: [
      { name: "probe", ports: [refused], action: "block" },
      { name: "ads", "domains-file": ads, ports: [named, watched], action: "block" },
      { name: "watched", ports: [watched], action: "bypass" },
      { name: "by name", domains: [".office.example"], ports: [named], action: "proxy", upstream: "office" },
      { name: "datagrams", protocol: "udp", ports: [upstream], action: "proxy", upstream: "datagrams" },
      { name: "streams", ports: [upstream], action: "proxy", upstream: "office" },
    ],
    upstreams: {
      office: { type: "socks5", address: `${server}:${MICROSOCKS_PORT}`, udp: false },
      datagrams: { type: "socks5", address: `${server}:${DANTE_PORT}` },
    },
    checks: { interval: "5s" },
    timeouts: { "tcp-idle": `${IDLE_SECONDS.tcp}s`, "udp-idle": `${IDLE_SECONDS.udp}s` },
    listener: { workers: 2 },
    log: { access: `${lab.directory}/access.log` },
  };
  return { config, refused, open };
}

/** Configs that are refused, and what is in the file; undefined: there is none. */
export const BAD_CONFIGS: readonly (string | undefined)[] = [
  "version: 1\nrules: [\n",
  "version: 1\ntimeouts:\n  conect: 3s\n",
  undefined,
  "version: 1\nlistener:\n  port: 50081\n",
];

/** Starts the proxy as a service manager does. */
export function startService(lab: Lab, round: number): Promise<Proxy> {
  const { config } = goodConfig(lab, round);
  return startProxy(lab, { config, install: false, arguments: ["--install"] });
}

/** Writes the config of a round. */
export function writeGood(lab: Lab, round: number): ReturnType<typeof goodConfig> {
  const good = goodConfig(lab, round);
  writeConfig(lab, good.config);
  return good;
}
