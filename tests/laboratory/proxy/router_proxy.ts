/**
 * The proxy with `intercept.router-traffic`, and what it says at its end.
 * @module
 */
import { ADDRESSES, type Lab } from "../lab.ts";
import type { Namespace } from "../namespace.ts";
import type { ConfigText, Proxy } from "./proxy.ts";
import { startUdpProxy } from "../network/udp_peers.ts";
import { at, type UdpSocket } from "../network/udp_socket.ts";

/** The config of {@linkcode startRouterProxy}. */
export function routerConfig(config: ConfigText = {}): ConfigText {
  const { intercept, ...rest } = config;
  return {
    // The only one that can do it.
    kernel: { backend: "netlink" },
    ...rest,
    intercept: { protocols: ["tcp", "udp"], "router-traffic": true, ...intercept as ConfigText | undefined },
  };
}

/** `tproxy install` and `run` with TCP and UDP, of the router too. */
export function startRouterProxy(lab: Lab, config: ConfigText = {}): Promise<Proxy> {
  return startUdpProxy(lab, routerConfig(config));
}

/** Ends the proxy, and gives the counters that it tells then. */
export async function endProxy(proxy: Proxy): Promise<Record<string, number>> {
  proxy.program.signal("SIGTERM");
  await proxy.program.waitForExit({ timeoutMs: 60_000 });
  const line = / stopped (.*)/.exec(proxy.log)![1];
  return Object.fromEntries(
    line.split(" ").map((field) => field.split("=")).map(([name, value]) => [name, Number(value)]),
  );
}

/** A socket of the router's that is connected to the server's address. */
export function openOwn(lab: Lab, family: 4 | 6, port = 7000): UdpSocket {
  return lab.router.udp({ family, connect: at(ADDRESSES[family].server, port) });
}

/** curl's exit code, with two seconds for the answer. */
export async function curl(namespace: Namespace, url: string): Promise<number> {
  return (await namespace.run(["curl", "-sSfm2", url], { mayFail: true })).code;
}
