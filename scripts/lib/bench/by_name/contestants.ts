/**
 * The contestants by name: each refuses the names of a list of 200,000 and lets others pass.
 * @module
 */
import type { Lab } from "../../../../tests/laboratory/lab.ts";
import { makeNames } from "../../../../tests/laboratory/names/lists.ts";
import { startProxy } from "../../../../tests/laboratory/proxy/proxy.ts";
import { HAPROXY_PORT, startHaproxy, startV2ray, V2RAY_PORT } from "../peers.ts";
import type { Contestant, Workers } from "../suite.ts";
import { LISTED } from "./load.ts";

/** Names of the list. */
const NAMES = 200_000;
/** Time for which clients may say nothing: v2ray's own; HAProxy is told the same. */
const SNIFF_MS = 200;

/** The rules of the kernel's TPROXY page for one of them; see tcp/contestants.ts. */
export const pageRules = (port: number) => `
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
  { name: "haproxy", lab: { forwarding: true }, start: startListedHaproxy },
  { name: "v2ray", lab: { forwarding: true }, start: startListedV2ray },
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

/** Its tree takes names as they are, without regard to case. */
function startListedHaproxy(lab: Lab): Promise<number> {
  const list = lab.writeFile("names", `${names().join("\n")}\n`);
  return startHaproxy(lab, pageRules(HAPROXY_PORT), [
    `tcp-request inspect-delay ${SNIFF_MS}ms`,
    `tcp-request content reject if { req.ssl_sni -m str -f ${list} }`,
    "tcp-request content accept if { req.ssl_hello_type 1 }",
  ]);
}

/** The names are told apart by sniffing, and resolved by nobody: what is let pass goes where it was to go. */
function startListedV2ray(lab: Lab): Promise<number> {
  return startV2ray(lab, pageRules(V2RAY_PORT), {
    network: "tcp",
    inbound: { sniffing: { enabled: true, destOverride: ["tls"] } },
    outbounds: [
      { protocol: "freedom", settings: { redirect: "203.0.113.2:0" } },
      { protocol: "blackhole", tag: "refused" },
    ],
    routing: {
      domainStrategy: "AsIs",
      rules: [{ type: "field", domain: names().map((name) => `full:${name}`), outboundTag: "refused" }],
    },
  });
}
