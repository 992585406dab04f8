/**
 * Other transparent proxies, as contestants have them on the router.
 * @module
 */
import type { Lab } from "../../../tests/laboratory/lab.ts";

/** The port of HAProxy. */
export const HAPROXY_PORT = 3128;
/** The port of v2ray. */
export const V2RAY_PORT = 3129;
/** A session takes up two of v2ray's descriptors. */
const DESCRIPTORS = 20_000;

/** Leads flows to one of them: rules of the router, and the route of the kernel's TPROXY page. */
async function divert(lab: Lab, rules: string): Promise<void> {
  await lab.router.nft(rules);
  await lab.router.ip(`
    rule add fwmark 1 lookup 100
    route add local default dev lo table 100`);
}

/** HAProxy with one thread and splicing; `lines` are further ones of its listener. Gives the process. */
export async function startHaproxy(lab: Lab, rules: string, lines: readonly string[] = []): Promise<number> {
  await divert(lab, rules);
  const config = lab.writeFile("haproxy.cfg", haproxyConfig(lines));
  return (await lab.router.start(["haproxy", "-db", "-f", config], { listens: HAPROXY_PORT })).pid;
}

function haproxyConfig(lines: readonly string[]): string {
  return `global
  nbthread 1
  maxconn 2000
defaults
  mode tcp
  option splice-auto
  timeout connect 10s
  timeout client 1h
  timeout server 1h
listen transparent
  bind 127.0.0.1:${HAPROXY_PORT} transparent
${lines.map((line) => `  ${line}\n`).join("")}\
  source 0.0.0.0 usesrc client
  server original-destination 0.0.0.0:0
`;
}

/** A way in of v2ray, and its ways out. */
export interface V2rayText {
  readonly network: "tcp" | "udp";
  /** Further parts of the inbound. */
  readonly inbound?: object;
  readonly outbounds: readonly object[];
  readonly routing?: object;
}

/** v2ray with as many threads as the machine has processors, its default, and no log. Gives the process. */
export async function startV2ray(
  lab: Lab,
  rules: string,
  { network, inbound, ...ways }: V2rayText,
): Promise<number> {
  await divert(lab, rules);
  const text = {
    log: { access: "none", loglevel: "none" },
    inbounds: [{
      listen: "127.0.0.1",
      port: V2RAY_PORT,
      protocol: "dokodemo-door",
      settings: { network, followRedirect: true },
      ...inbound,
      streamSettings: { sockopt: { tproxy: "tproxy" } },
    }],
    ...ways,
  };
  const config = lab.writeFile("v2ray.json", JSON.stringify(text));
  const argv = ["prlimit", `--nofile=${DESCRIPTORS}`, "v2ray", "-config", config];
  return (await lab.router.start(argv, network === "udp" ? { udpPort: V2RAY_PORT } : { listens: V2RAY_PORT }))
    .pid;
}
