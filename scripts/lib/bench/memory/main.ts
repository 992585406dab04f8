/**
 * `scripts/bench --memory`: first start and load in cgroups of several sizes, and the cost of workers, as
 * tables for the README.
 * @module
 */
import { parseArgs } from "node:util";
import { openLab } from "../../../../tests/laboratory/lab.ts";
import { memoryCgroupObstacle } from "../../../../tests/laboratory/machine/memory_cgroup.ts";
import { startNginx } from "../../../../tests/laboratory/programs/nginx.ts";
import { print } from "../../../../tests/laboratory/machine/print.ts";
import { formatLimits, formatWorkers } from "./table.ts";
import { type LimitResult, tryLimit } from "./try_limit.ts";
import { measureWorkers } from "./workers.ts";

const MIB = 1 << 20;
/** MiB, and no limit to compare with. */
const LIMITS = [undefined, 256, 192, 128, 96, 64];
const WORKERS = [1, 2, 4];

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "5" },
  },
});
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
const obstacle = memoryCgroupObstacle();
if (obstacle !== undefined) {
  print(`scripts/bench --memory: ${obstacle}`);
  Deno.exit(1);
}

const limits = new Map<number | undefined, LimitResult[]>(LIMITS.map((limit) => [limit, []]));
for (let round = 1; round <= rounds; round++) {
  for (const limit of LIMITS) {
    const lab = await openLab({ forwarding: true });
    try {
      await startNginx(lab, { accessLog: false });
      await lab.server.start(["iperf3", "-s"], { listens: 5201 });
      const result = await tryLimit(lab, limit === undefined ? undefined : limit * MIB, seconds);
      limits.get(limit)!.push(result);
      print(`round ${round}, ${limit ?? "no"} MiB: ${JSON.stringify(result)}`);
    } finally {
      await lab.close();
    }
  }
}
const workers = await measureWorkers(WORKERS, rounds);
const text = `${formatLimits(limits)}\n\n${formatWorkers(workers)}\n`;
Deno.stdout.writeSync(new TextEncoder().encode(`\n${text}`));
