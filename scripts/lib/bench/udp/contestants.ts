/**
 * The contestants for UDP: plain forwarding, v2ray, tproxy with either admission.
 * @module
 */
import type { Lab } from "../../../../tests/laboratory/lab.ts";
import { startProxy } from "../../../../tests/laboratory/proxy/proxy.ts";
import { type Contestant, EARLY, type Workers } from "../suite.ts";

const V2RAY_PORT = 3129;
/** A session takes up two of v2ray's descriptors. */
const DESCRIPTORS = 20_000;

/**
 * The rules of the kernel's TPROXY page: conntrack sees both legs. (With the LAN side kept out of conntrack,
 * as tproxy does it, v2ray took as much processor time.) No rule with `socket transparent`: `tproxy` prefers
 * the sockets that v2ray connects to clients anyway, and servers' answers come to the router's own address.
 */
const V2RAY_RULES = `
  table inet v2ray {
    chain divert {
      type filter hook prerouting priority mangle; policy accept;
      iifname "r0" meta l4proto udp tproxy ip to 127.0.0.1:${V2RAY_PORT} meta mark set 1 accept
    }
  }`;

/** In the order of the table. */
export const UDP_CONTESTANTS: readonly Contestant[] = [
  { name: "forwarding", lab: { forwarding: true }, start: () => Promise.resolve(undefined) },
  { name: "v2ray", lab: {}, start: startV2ray },
  { name: "tproxy", lab: {}, start: (lab, workers) => startTproxy(lab, workers, "forward-path") },
  { name: EARLY, lab: {}, start: (lab, workers) => startTproxy(lab, workers, "early") },
];

async function startTproxy(
  lab: Lab,
  workers: Workers,
  admission: "forward-path" | "early",
): Promise<number> {
  const config = { intercept: { protocols: ["tcp", "udp"], admission }, listener: { workers } };
  return (await startProxy(lab, { config })).pid;
}

/** v2ray with as many threads as the machine has processors, its default. */
async function startV2ray(lab: Lab): Promise<number> {
  await lab.router.nft(V2RAY_RULES);
  await lab.router.ip(`
    rule add fwmark 1 lookup 100
    route add local default dev lo table 100`);
  const config = lab.writeFile("v2ray.json", JSON.stringify(v2rayConfig(), undefined, 2));
  const argv = ["prlimit", `--nofile=${DESCRIPTORS}`, "v2ray", "-config", config];
  return (await lab.router.start(argv, { udpPort: V2RAY_PORT })).pid;
}

/** One way in, one way out, no routing, no sniffing, no log. */
function v2rayConfig(): unknown {
  return {
    log: { access: "none", loglevel: "none" },
    inbounds: [{
      listen: "127.0.0.1",
      port: V2RAY_PORT,
      protocol: "dokodemo-door",
      settings: { network: "udp", followRedirect: true },
      streamSettings: { sockopt: { tproxy: "tproxy" } },
    }],
    outbounds: [{ protocol: "freedom" }],
  };
}
