/**
 * The contestants for UDP: plain forwarding, v2ray, tproxy with either admission.
 * @module
 */
import type { Lab } from "../../../../tests/laboratory/lab.ts";
import { startProxy } from "../../../../tests/laboratory/proxy/proxy.ts";
import { startV2ray, V2RAY_PORT } from "../peers.ts";
import { type Contestant, EARLY, type Workers } from "../suite.ts";

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
  { name: "v2ray", lab: {}, start: startPlainV2ray },
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

/** One way in, one way out, no routing, no sniffing. */
function startPlainV2ray(lab: Lab): Promise<number> {
  return startV2ray(lab, V2RAY_RULES, { network: "udp", outbounds: [{ protocol: "freedom" }] });
}
