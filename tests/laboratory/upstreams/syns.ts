/**
 * Counts of the connections that are begun with the server.
 * @module
 */
import type { Lab } from "../lab.ts";

/** Counts the SYNs that come to the server by whatever way, for each condition of nft. */
export async function countSyns(lab: Lab, conditions: readonly string[]): Promise<() => Promise<number[]>> {
  const rules = conditions.map((condition) => `${condition} tcp flags & (syn | ack) == syn counter`);
  await lab.server.nft(`table inet counted {
    chain input { type filter hook input priority 0;
${rules.join("\n")}
    }
  }`);
  return async () => {
    const { stdout } = await lab.server.run(["nft", "list", "table", "inet", "counted"]);
    return Array.from(stdout.matchAll(/packets (\d+)/g), ([, count]) => Number(count));
  };
}
