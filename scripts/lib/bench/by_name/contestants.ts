/**
 * The contestants by name: each refuses the names of a list of 200,000 and lets others pass.
 * @module
 */
import type { Lab } from "../../../../tests/laboratory/lab.ts";
import { makeNames } from "../../../../tests/laboratory/names/lists.ts";
import { startProxy } from "../../../../tests/laboratory/proxy/proxy.ts";
import type { Contestant, Workers } from "../suite.ts";
import { LISTED } from "./load.ts";

/** Names of the list. */
const NAMES = 200_000;
const HAPROXY_PORT = 3128;
const V2RAY_PORT = 3129;
/** Time for which clients may say nothing: v2ray's own; HAProxy is told the same. */
const SNIFF_MS = 200;

/** The rules of the kernel's TPROXY page for one of them; see tcp/contestants.ts. */
const pageRules = (port: number) => `
  table inet peer {
    chain divert {
      type filter hook prerouting priority mangle; policy accept;
      iifname "r0" tcp flags syn / fin,syn,rst,ack tproxy ip to 127.0.0.1:${port} meta mark set 1 accept
      meta l4proto tcp socket transparent 1 meta mark set 1 accept
    }
  }`;

/**
 * In the order of the table. The router forwards for all of them: that they are in the path shows in the
 * names that they refuse.
 */
export const BY_NAME_CONTESTANTS: readonly Contestant[] = [
  { name: "forwarding", lab: { forwarding: true }, start: () => Promise.resolve(undefined) },
  { name: "haproxy", lab: { forwarding: true }, start: startHaproxy },
  { name: "v2ray", lab: { forwarding: true }, start: startV2ray },
  { name: "tproxy", lab: { forwarding: true }, start: startTproxy },
];

function names(): string[] {
  return [...makeNames(NAMES - 1), LISTED];
}

async function startTproxy(lab: Lab, workers: Workers): Promise<number> {
  const list = lab.writeFile("names", `${names().join("\n")}\n`);
  const rules = [{ name: "listed", "domains-file": list, action: "block" }];
  return (await startProxy(lab, { config: { listener: { workers }, rules, default: "bypass" } })).pid;
}

/** HAProxy with one thread and splicing. Its tree takes names as they are, without regard to case. */
async function startHaproxy(lab: Lab): Promise<number> {
  await divert(lab, HAPROXY_PORT);
  const list = lab.writeFile("names", `${names().join("\n")}\n`);
  const config = lab.writeFile("haproxy.cfg", haproxyConfig(list));
  return (await lab.router.start(["haproxy", "-db", "-f", config], { listens: HAPROXY_PORT })).pid;
}

function haproxyConfig(list: string): string {
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
  tcp-request inspect-delay ${SNIFF_MS}ms
  tcp-request content reject if { req.ssl_sni -m str -f ${list} }
  tcp-request content accept if { req.ssl_hello_type 1 }
  source 0.0.0.0 usesrc client
  server original-destination 0.0.0.0:0
`;
}

/** v2ray with as many threads as the machine has processors, its default. */
async function startV2ray(lab: Lab): Promise<number> {
  await divert(lab, V2RAY_PORT);
  const config = lab.writeFile("v2ray.json", JSON.stringify(v2rayConfig()));
  const argv = ["prlimit", "--nofile=20000", "v2ray", "-config", config];
  return (await lab.router.start(argv, { listens: V2RAY_PORT })).pid;
}

async function divert(lab: Lab, port: number): Promise<void> {
  await lab.router.nft(pageRules(port));
  await lab.router.ip(`
    rule add fwmark 1 lookup 100
    route add local default dev lo table 100`);
}

/** The names are told apart by sniffing, and resolved by nobody: what is let pass goes where it was to go. */
function v2rayConfig(): unknown {
  return {
    log: { access: "none", loglevel: "none" },
    inbounds: [{
      listen: "127.0.0.1",
      port: V2RAY_PORT,
      protocol: "dokodemo-door",
      settings: { network: "tcp", followRedirect: true },
      sniffing: { enabled: true, destOverride: ["tls"] },
      streamSettings: { sockopt: { tproxy: "tproxy" } },
    }],
    outbounds: [
      { protocol: "freedom", settings: { redirect: "203.0.113.2:0" } },
      { protocol: "blackhole", tag: "refused" },
    ],
    routing: {
      domainStrategy: "AsIs",
      rules: [{ type: "field", domain: names().map((name) => `full:${name}`), outboundTag: "refused" }],
    },
  };
}
