/**
 * The self-test's network: three namespaces, held by three threads, that go away with them.
 *
 * ```
 *   client ── c0 ═══ r0 ── router (tproxy) ── r1 ═══ s0 ── server
 *   10.77.1.2/24     10.77.1.1     198.51.100.1     198.51.100.2/24   and 198.51.100.3
 *   fd77:1::2/64     fd77:1::1     2001:db8:77::1   2001:db8:77::2/64 and 2001:db8:77::3, the stranger
 * ```
 * @module
 */
import { ADDRESSES } from "./addresses.ts";
import type { ClientHost } from "./hosts/client_host.ts";
import { type Remote, startHost } from "./hosts/remote.ts";
import type { RouterHost } from "./hosts/router_host.ts";
import type { ServerHost } from "./hosts/server_host.ts";

/** The hosts, ready for use. */
export interface Network {
  readonly client: Remote<ClientHost>;
  readonly router: Remote<RouterHost>;
  readonly server: Remote<ServerHost>;
  /** Tells whether this kernel has IPv6. */
  readonly ipv6: boolean;
  /** The process id of the proxy in the router, while it runs. */
  proxyPid: number | undefined;
  /** Kills what still runs in it. The namespaces end with the process. */
  close(): Promise<void>;
}

/** Builds the network. Throws OperationError's message where that is not permitted. */
export async function openNetwork(hostUrl: URL): Promise<Network> {
  const client = startHost<ClientHost>("client", hostUrl);
  const router = startHost<RouterHost>("router", hostUrl);
  const server = startHost<ServerHost>("server", hostUrl);
  let network: Network | undefined;
  const close = async () => {
    await router.remote.endProxy("SIGKILL");
    if (network !== undefined) network.proxyPid = undefined;
    for (const host of [client, router, server]) host.close();
  };
  try {
    const [clientFd, , serverFd] = await Promise.all([
      client.remote.join(),
      router.remote.join(),
      server.remote.join(),
    ]);
    const ipv6 = await router.remote.hasIpv6();
    network = {
      client: client.remote,
      router: router.remote,
      server: server.remote,
      ipv6,
      proxyPid: undefined,
      close,
    };
    await configure(network, { clientFd, serverFd });
    return network;
  } catch (error) {
    for (const host of [client, router, server]) host.close();
    throw error;
  }
}

async function configure(network: Network, fds: { clientFd: number; serverFd: number }): Promise<void> {
  const { client, router, server, ipv6 } = network;
  if (ipv6) {
    // No duplicate address detection: addresses are usable at once.
    const noDad = { "ipv6/conf/all/accept_dad": 0, "ipv6/conf/default/accept_dad": 0 };
    await Promise.all([client, router, server].map((host) => host.writeSysctls(noDad)));
    await router.writeSysctls({ "ipv6/conf/all/forwarding": 1 });
  }
  await router.writeSysctls({ "ipv4/ip_forward": 1 });
  await router.addVeth("r0", "c0", fds.clientFd);
  await router.addVeth("r1", "s0", fds.serverFd);
  type Place = keyof typeof ADDRESSES.ipv4;
  const addresses = (place: Place) => [ADDRESSES.ipv4[place], ...ipv6 ? [ADDRESSES.ipv6[place]] : []];
  const prefixes = (place: Place) =>
    addresses(place).map((text) => `${text}/${text.includes(":") ? 64 : 24}`);
  await Promise.all([client, router, server].map((host) => host.configureLink("lo", [])));
  await router.configureLink("r0", prefixes("lan"));
  await router.configureLink("r1", prefixes("wan"));
  await client.configureLink("c0", prefixes("client"));
  await server.configureLink("s0", [...prefixes("server"), ...prefixes("stranger")]);
  await Promise.all([
    client.waitForAddresses(addresses("client")),
    router.waitForAddresses([...addresses("lan"), ...addresses("wan")]),
    server.waitForAddresses([...addresses("server"), ...addresses("stranger")]),
  ]);
  const families = ipv6 ? ["ipv4", "ipv6"] as const : ["ipv4"] as const;
  for (const family of families) {
    await client.addDefaultRoute("c0", ADDRESSES[family].lan);
    await server.addDefaultRoute("s0", ADDRESSES[family].wan);
  }
  await server.serve(families.map((family) => {
    const { server: hostname, stranger } = ADDRESSES[family];
    return { hostname, stranger };
  }));
}
