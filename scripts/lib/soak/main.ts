/**
 * `scripts/soak`: a restless part, in which the proxy is killed as well, then a long life of one process.
 * @module
 */
import { parseArgs } from "node:util";
import { type Lab, openLab } from "../../../tests/laboratory/lab.ts";
import { print } from "../../../tests/laboratory/machine/print.ts";
import { delay } from "../../../tests/laboratory/machine/wait.ts";
import { snapshotKernel, withoutCounts } from "../../../tests/laboratory/network/snapshot.ts";
import { tproxy } from "../../../tests/laboratory/proxy/proxy.ts";
import { findLeftovers, readMachineState } from "../test/leftovers.ts";
import { disturb, disturbOnce } from "./disturb.ts";
import { GOOD_RELOAD } from "./disturbances/good_reload.ts";
import { type Load, prepareLoad, startClients, startServer } from "./load.ts";
import { growthOf, type Sample } from "./memory.ts";
import { describeProgress } from "./progress.ts";
import { drain, holdingsOf, sampleMemory } from "./resources.ts";
import { Scene } from "./scene.ts";
import {
  type Finding,
  formatVerdict,
  isHeld,
  judgeHoldings,
  judgeMemory,
  judgeRepeats,
  judgeRest,
  none,
  tellCosts,
  tellFailures,
} from "./verdict.ts";
import { divide } from "./windows.ts";
import { countPast, furnish, IDLE_SECONDS, startService } from "./world.ts";

const USAGE = "Usage: scripts/soak MINUTES [--source]";
/** Time that is spent besides: the start, a second one, sessions that time out. */
const OVERHEAD_SECONDS = 30;
/** Share of the rest in which the proxy is killed too. */
const RESTLESS = 0.3;
/** Seconds of calm load that opens whatever a process keeps open. */
const WARM_UP_SECONDS = 4;
/** A line of progress comes so often. */
const PROGRESS_SECONDS = 10;
/** src/daemon/daemon.ts gives back after three seconds what only the start or a reload has needed. */
const SETTLED_MS = 4_000;

/** Runs the soak; gives the exit code. */
async function main(args: string[]): Promise<number> {
  const asked = readWords(args);
  if (asked === "help" || asked === undefined) {
    print(USAGE);
    return asked === "help" ? 0 : 2;
  }
  const { minutes, source } = asked;
  if (source) Deno.env.delete("TPROXY_BIN");
  const before = await readMachineState();
  await prepareLoad();
  const lab = await openLab({ forwarding: true, masquerade: true });
  let findings: Finding[] = [];
  try {
    findings = await soak(lab, Math.max(minutes * 60 - OVERHEAD_SECONDS, OVERHEAD_SECONDS));
  } catch (error) {
    findings = [none("no answer of the proxy that it should not have given", [(error as Error).message])];
  } finally {
    const left = await lab.close().then(() => [], (error: Error) => [error.message]);
    findings.push(
      none("namespaces, rules, processes, files left", [...left, ...await findLeftovers(before)]),
    );
  }
  Deno.stdout.writeSync(new TextEncoder().encode(formatVerdict(findings)));
  return isHeld(findings) ? 0 : 1;
}

async function soak(lab: Lab, seconds: number): Promise<Finding[]> {
  await furnish(lab);
  const untouched = await snapshotKernel(lab.router);
  const server = await startServer(lab);
  const scene = new Scene(lab, await startService(lab, 0));
  const [samples, ends]: [Sample[], Load[]] = [[], [server]];
  const begin = performance.now();
  let ticks = 0;
  const tick = () => {
    if (scene.proxy.program.running) samples.push(sampleMemory(scene.proxy));
    for (const end of ends) end.assertRunning();
    if (++ticks % PROGRESS_SECONDS !== 0) return;
    print(
      describeProgress({
        seconds: (performance.now() - begin) / 1000,
        scene,
        server,
        clients: ends.slice(1),
      }),
    );
  };
  const clients: Load[] = [];
  const load = async (calm: boolean, work: () => Promise<void>) => {
    const client = await startClients(lab, { calm });
    ends.push(client);
    await work();
    await client.end();
    clients.push(client);
    ends.pop();
  };

  await load(false, () => disturb(scene, { seconds: seconds * RESTLESS, ends: true, tick }));
  // A process of its own for the rest. First it opens what it keeps.
  await scene.during("restart", true, () =>
    scene.replaceProxy(async () => {
      scene.proxy.program.signal("SIGTERM");
      await scene.proxy.program.waitForExit({ timeoutMs: 60_000 });
    }));
  await load(true, async () => {
    await disturbOnce(scene);
    await delay(WARM_UP_SECONDS * 1000);
  });
  // Calm clients leave UDP sessions behind, and no other.
  await delay(IDLE_SECONDS.udp * 1000 + SETTLED_MS);
  const opened = await holdingsOf(lab, scene.proxy);
  const atRest = [sampleMemory(scene.proxy).bytes];
  samples.length = 0;
  const flowsBefore = server.counts.flows;
  await load(false, () => disturb(scene, { seconds: seconds * (1 - RESTLESS), ends: false, tick }));
  // After a reload it gives back what it needs no more.
  await drain(lab, scene.proxy, opened);
  await scene.during(GOOD_RELOAD.name, GOOD_RELOAD.costs, () => GOOD_RELOAD.disturb(scene));
  await delay(SETTLED_MS);
  const open = await drain(lab, scene.proxy, opened);
  atRest.push(sampleMemory(scene.proxy).bytes);
  const past = await countPast(lab) - scene.excusedPast;
  const live = server.counts.live;

  scene.proxy.program.signal("SIGTERM");
  const code = await scene.proxy.program.waitForExit({ timeoutMs: 60_000 });
  await tproxy(lab, ["uninstall"]);
  const changed = difference(await snapshotKernel(lab.router), untouched);
  const failures = [...clients, server].flatMap((end) => end.failures);
  const { wrong, failed, excused } = divide(failures, scene.windows);
  const sum = (of: (load: Load) => number) => clients.reduce((total, client) => total + of(client), 0);
  const errors = scene.log.split("\n").filter((line) =>
    / (error|ERROR) /.test(line) && !/not reloaded/.test(line)
  );
  print(describeProgress({ seconds: (performance.now() - begin) / 1000, scene, server, clients }));
  if (Deno.env.get("TPROXY_LAB_TRACE") !== undefined) print(scene.log);
  print(`${tellCosts(excused, scene.windows)}; pipes kept: ${open.pipe ?? 0}`);
  return [
    none("flows with a wrong byte", tellFailures(wrong, scene.windows), wrong.length),
    none(
      "flows that failed, but for disturbances that cost some",
      tellFailures(failed, scene.windows),
      failed.length,
    ),
    none("packets of new flows that went past the proxy, but for disturbances that cost some", [], past),
    judgeRepeats(sum(({ counts }) => counts.exchanges), sum(({ counts }) => counts.repeated)),
    none("connections left at the server", [], live),
    judgeHoldings(opened, open),
    judgeMemory(growthOf(samples)),
    judgeRest(atRest[0], atRest[1], server.counts.flows - flowsBefore),
    none("errors in the log", errors),
    none("exit code of the last proxy but 0", code === 0 ? [] : [`${code}`]),
    none("objects of the kernel that were not so before", changed),
  ];
}

/** Reads the command line; undefined: it is none. */
function readWords(
  args: string[],
): { readonly minutes: number; readonly source: boolean } | "help" | undefined {
  const options = {
    source: { type: "boolean", default: false },
    help: { type: "boolean", short: "h" },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    if (values.help) return "help";
    const minutes = Number(positionals[0]);
    return positionals.length === 1 && minutes > 0 ? { minutes, source: values.source } : undefined;
  } catch {
    return undefined;
  }
}

/** Lines that one text has, and the other not. */
function difference(now: string, before: string): string[] {
  const [left, right] = [now, before].map((text) => withoutCounts(text).split("\n"));
  return [
    ...left.filter((line) => !right.includes(line)).map((line) => `+ ${line}`),
    ...right.filter((line) => !left.includes(line)).map((line) => `- ${line}`),
  ];
}

Deno.exit(await main(Deno.args));
