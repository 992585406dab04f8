/**
 * The rules of the kernel's page on TPROXY, as they stand there, with their counterparts for IPv6 and UDP.
 * @module
 */
import type { Lab } from "../lab.ts";
import { PROXY_PORT } from "./proxy.ts";

/** Rules that are loaded besides the divert rule and the policy routing. */
export interface KernelPageOptions {
  /** The port of which TCP and UDP are steered to port 50080; none: nothing is. */
  readonly steer?: number;
}

/** Loads the rules into the router. */
export async function loadKernelPage(lab: Lab, options: KernelPageOptions = {}): Promise<void> {
  for (const family of ["ip", "ip6"] as const) {
    await lab.router.nft(`
      add table ${family} filter
      add chain ${family} filter divert { type filter hook prerouting priority -150; }
      add rule ${family} filter divert meta l4proto { tcp, udp } socket transparent 1 meta mark set 1 accept
    `);
    if (options.steer !== undefined) {
      for (const protocol of ["tcp", "udp"]) {
        const match = `${protocol} dport ${options.steer}`;
        await lab.router.nft(
          `add rule ${family} filter divert ${match} tproxy to :${PROXY_PORT} meta mark set 1 accept`,
        );
      }
    }
  }
  await lab.router.ip(`
    rule add fwmark 1 lookup 100
    route add local 0.0.0.0/0 dev lo table 100
  `);
  await lab.router.ip(
    `
    rule add fwmark 1 lookup 100
    route add local ::/0 dev lo table 100
  `,
    { family: 6 },
  );
}
