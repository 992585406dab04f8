/**
 * The contestants through a SOCKS5 proxy: both send all flows there, v2ray with both processors.
 * @module
 */
import { ADDRESSES, type Lab } from "../../../../tests/laboratory/lab.ts";
import { startProxy } from "../../../../tests/laboratory/proxy/proxy.ts";
import { startV2ray, V2RAY_PORT } from "../peers.ts";
import { type Contestant, EARLY, type Workers } from "../suite.ts";
import { pageRules } from "../by_name/contestants.ts";

/** The load generator's server, as a SOCKS5 proxy. */
const PROXY = { address: ADDRESSES[4].server, port: 1080 };

/** In the order of the table. The router forwards: without a proxy, clients are refused where they dial. */
export const THROUGH_CONTESTANTS: readonly Contestant[] = [
  { name: "v2ray", lab: { forwarding: true }, start: startSocksV2ray },
  {
    name: "tproxy",
    lab: { forwarding: true },
    start: (lab, workers) => startTproxy(lab, workers, "forward-path"),
  },
  { name: EARLY, lab: { forwarding: true }, start: (lab, workers) => startTproxy(lab, workers, "early") },
];

async function startTproxy(
  lab: Lab,
  workers: Workers,
  admission: "forward-path" | "early",
): Promise<number> {
  const config = {
    listener: { workers },
    intercept: { admission },
    rules: [{ name: "all", action: "proxy", upstream: "far" }],
    upstreams: { far: { type: "socks5", address: `${PROXY.address}:${PROXY.port}` } },
  };
  return (await startProxy(lab, { config })).pid;
}

function startSocksV2ray(lab: Lab): Promise<number> {
  return startV2ray(lab, pageRules(V2RAY_PORT), {
    network: "tcp",
    outbounds: [{ protocol: "socks", settings: { servers: [PROXY] } }],
  });
}
