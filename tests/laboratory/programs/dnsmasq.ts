/**
 * dnsmasq as a DNS server, and dig as its client.
 * @module
 */
import type { Namespace } from "../namespace.ts";
import type { Program } from "../program.ts";

/** Names and their addresses. */
export type Hosts = Readonly<Record<string, { readonly 4: string; readonly 6: string }>>;

/** Starts dnsmasq on port 53 of the wildcard addresses; it knows these names and asks nobody. */
export function startDnsmasq(namespace: Namespace, hosts: Hosts): Promise<Program> {
  const names = Object.entries(hosts).map(([name, address]) =>
    `--host-record=${name},${address[4]},${address[6]}`
  );
  const alone = ["--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--pid-file="];
  // Without --bind-interfaces and --bind-dynamic it binds to 0.0.0.0 and ::, as on most routers.
  return namespace.start(["dnsmasq", "--keep-in-foreground", ...alone, ...names], { udpPort: 53 });
}

/** Asks a server, each question once and with two seconds for the answer; gives the answers' data. */
export async function dig(
  namespace: Namespace,
  question: { server: string; name: string; type: string; times?: number },
): Promise<string[]> {
  const one = [`@${question.server}`, question.name, question.type];
  const each = Array(question.times ?? 1).fill(one).flat();
  const { stdout } = await namespace.run(["dig", "+tries=1", "+time=2", "+short", ...each], {
    mayFail: true,
  });
  return stdout.split("\n").filter((line) => line !== "");
}
