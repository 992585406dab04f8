/**
 * Fields of the packets that come in, as a host's kernel sees them: their values, in order.
 * @module
 */
import type { Namespace } from "../namespace.ts";

/** Collects an expression of nft from incoming packets that match; {@linkcode seen} tells its values. */
export async function watch(host: Namespace, match: string, expression: string): Promise<void> {
  await host.nft(`table inet watched {
    set seen { typeof ${expression}; flags dynamic; size 64; }
    chain incoming {
      type filter hook prerouting priority -290;
      ${match} add @seen { ${expression} }
    }
  }`);
}

/** The values so far. */
export async function seen(host: Namespace): Promise<string> {
  const { stdout } = await host.run(["nft", "list", "set", "inet", "watched", "seen"]);
  return (/elements = \{([^}]*)\}/.exec(stdout)?.[1] ?? "").split(",").map((value) => value.trim()).sort()
    .join(" ");
}
