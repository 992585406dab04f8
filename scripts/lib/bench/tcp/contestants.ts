/**
 * The contestants for TCP: plain forwarding, HAProxy, tproxy with either admission.
 * @module
 */
import type { Lab } from "../../../../tests/laboratory/lab.ts";
import { startProxy } from "../../../../tests/laboratory/proxy/proxy.ts";
import { HAPROXY_PORT, startHaproxy } from "../peers.ts";
import { type Contestant, EARLY, type Workers } from "../suite.ts";

/**
 * The rules of the kernel's TPROXY page, as its users have them: conntrack sees both legs. SYNs go to the
 * listener before sockets are asked, unlike there: else a client that uses a port again waits for a second.
 */
const PAGE_RULES = `
  table inet haproxy {
    chain divert {
      type filter hook prerouting priority mangle; policy accept;
      iifname "r0" tcp flags syn / fin,syn,rst,ack tproxy ip to 127.0.0.1:${HAPROXY_PORT} meta mark set 1 accept
      meta l4proto tcp socket transparent 1 meta mark set 1 accept
    }
  }`;

/**
 * The rules of tproxy, which keep the LAN side out of conntrack. It knows its packets to clients by their
 * mark; HAProxy's are all.
 */
const UNTRACKED_RULES = `
  table inet haproxy {
    chain divert {
      type filter hook prerouting priority raw - 10; policy accept;
      iifname != "r0" return
      fib daddr type { local, broadcast, anycast, multicast } return
      tcp flags syn / fin,syn,rst,ack tproxy ip to 127.0.0.1:${HAPROXY_PORT} meta mark set 1 notrack accept
      meta l4proto tcp socket transparent 1 meta mark set 1 notrack accept
    }
    chain divert_replies {
      type filter hook prerouting priority mangle; policy accept;
      iifname "r0" return
      meta l4proto tcp socket transparent 1 meta mark set 1 accept
    }
    chain untracked {
      type filter hook output priority raw; policy accept;
      oifname "r0" notrack
    }
  }`;

/** In the order of the table. */
export const TCP_CONTESTANTS: readonly Contestant[] = [
  { name: "forwarding", lab: { forwarding: true }, start: () => Promise.resolve(undefined) },
  { name: "haproxy", lab: {}, start: (lab) => startHaproxy(lab, PAGE_RULES) },
  { name: "haproxy, tproxy's rules", lab: {}, start: (lab) => startHaproxy(lab, UNTRACKED_RULES) },
  { name: "tproxy", lab: {}, start: (lab, workers) => startTproxy(lab, workers, "forward-path") },
  { name: EARLY, lab: {}, start: (lab, workers) => startTproxy(lab, workers, "early") },
];

async function startTproxy(
  lab: Lab,
  workers: Workers,
  admission: "forward-path" | "early",
): Promise<number> {
  const config = { listener: { workers }, intercept: { admission } };
  return (await startProxy(lab, { config })).pid;
}
