/**
 * Checks of the self-test, in order. Each is one row of the result; it throws {@linkcode CheckFailure} with
 * what it saw, or {@linkcode CheckSkip} with the reason.
 * @module
 */
import { FAMILIES } from "../../../net/families.ts";
import { type Check, CheckSkip, type FamilyCheck } from "./check.ts";
import * as path from "./checks_path.ts";
import * as router from "./checks_router.ts";
import * as setup from "./checks_setup.ts";
import * as tcp from "./checks_tcp.ts";
import * as udp from "./checks_udp.ts";

/** All checks. The order matters: each leaves the network as the next wants it. */
export const CHECKS: readonly Check[] = [
  { name: "flows opened before the install", essential: true, run: setup.openFlows },
  { name: "the router forwards no new flow by itself", run: setup.expectNoForwarding },
  { name: "install", essential: true, run: setup.install },
  ...eachFamily("established flow survives install", tcp.echoOnFlow),
  { name: "run", essential: true, run: setup.startProxy },
  ...eachFamily("TCP: original destination and client's address", tcp.clientSeen),
  ...eachFamily("TCP: 1 MiB each way intact", tcp.exchange),
  ...eachFamily("TCP: half-close", tcp.halfClose),
  ...eachFamily("TCP: refused port gives refusal", tcp.refused),
  ...eachFamily("UDP: original destination and client's address", udp.clientSeen),
  ...eachFamily("UDP: largest datagram each way intact", udp.largestDatagram),
  ...eachFamily("UDP: empty datagram each way", udp.emptyDatagram),
  ...eachFamily("UDP: refused port gives port unreachable", udp.refused),
  ...eachFamily("UDP: one client port for all servers", udp.oneMapping),
  ...eachFamily("UDP: strangers do not reach the client", udp.stranger),
  ...eachFamily("src_valid_mark=1, rp_filter=1", tcp.strictReversePath),
  ...eachFamily("src_valid_mark=1, rp_filter=1, UDP", udp.strictReversePath),
  ...eachFamily("masquerade: nothing leaks", tcp.masquerade),
  ...eachFamily("masquerade: nothing leaks, UDP", udp.masquerade),
  ...eachFamily("a forward rule refuses: refused", path.forwardReject),
  ...eachFamily("a redirection (dnat) is followed", path.dnat),
  ...eachFamily("policy routing by interface is followed", path.routesByInterface),
  ...eachFamily("policy routing by mark is followed", path.routesByMark),
  ...eachFamily("firewall: input drops by policy", path.inputDrop),
  ...eachFamily("firewall: output drops by policy", path.outputDrop),
  ...eachFamily("SYN cookies for every connection", path.synCookies),
  { name: "install and run on a bridge", run: path.startOnBridge },
  ...eachFamily("a bridge, br_netfilter off", path.bridge),
  ...eachFamily("a bridge, br_netfilter on", path.filteredBridge),
  { name: "install and run without the bridge", essential: true, run: path.leaveBridge },
  ...eachFamily("proxy killed, on-failure open: forwarded", tcp.failOpen),
  ...eachFamily("proxy killed, on-failure open: forwarded, UDP", udp.failOpen),
  { name: "install over it, on-failure reset", essential: true, run: setup.installReset },
  ...eachFamily("proxy killed, on-failure reset: refused", tcp.failReset),
  ...eachFamily("proxy killed, on-failure reset: refused, UDP", udp.failReset),
  { name: "install over it and run, router-traffic", run: router.start },
  ...eachFamily("router-traffic: a program on the router, TCP", router.tcp),
  ...eachFamily("router-traffic: a program on the router, UDP", router.udp),
  { name: "uninstall leaves nothing", cleanup: true, run: setup.uninstall },
  ...eachFamily("established flow survives uninstall", tcp.echoOnFlow),
];

function eachFamily(name: string, run: FamilyCheck): Check[] {
  return FAMILIES.map((family) => ({
    name: `${name}, ${family === "ipv4" ? "IPv4" : "IPv6"}`,
    run: (context) => {
      if (family === "ipv6" && !context.network.ipv6) throw new CheckSkip("IPv6 is off in this kernel");
      return run(context, family);
    },
  }));
}
