/**
 * The three parts of a soak: a restless one, in which the proxy is killed as well; one in which it is
 * upgraded again and again, and nothing may be lost; and a long life of one process, whose memory is watched.
 * @module
 */
import type { Lab } from "../../../tests/laboratory/lab.ts";
import { print } from "../../../tests/laboratory/machine/print.ts";
import { delay } from "../../../tests/laboratory/machine/wait.ts";
import { snapshotKernel, withoutCounts } from "../../../tests/laboratory/network/snapshot.ts";
import { tproxy } from "../../../tests/laboratory/proxy/proxy.ts";
import { findAccessLines } from "./access.ts";
import { disturb, disturbOnce } from "./disturb.ts";
import type { Disturbance } from "./disturbances/disturbance.ts";
import { GOOD_RELOAD } from "./disturbances/good_reload.ts";
import { HARMLESS, LASTING, RESTLESS } from "./disturbances/list.ts";
import { UPGRADE } from "./disturbances/upgrade.ts";
import { type Load, startClients, startServer } from "./load.ts";
import { growthOf, type Sample } from "./memory.ts";
import { describeProgress } from "./progress.ts";
import { drain, type Holdings, holdingsOf, sampleMemory } from "./resources.ts";
import { Scene } from "./scene.ts";
import {
  type Finding,
  judgeHoldings,
  judgeLost,
  judgeMemory,
  judgeMoves,
  judgeRest,
  none,
  tellCosts,
  tellFailures,
} from "./verdict.ts";
import { divide } from "./windows.ts";
import { countPast, furnish, IDLE_SECONDS } from "./world.ts";

/** Time that is spent besides: starts, sessions that time out. */
export const OVERHEAD_SECONDS = 60;
/** Shares of the rest. */
const SHARES = { restless: 0.25, upgrades: 0.25, life: 0.5 } as const;
/** Of so many datagrams one may be lost: where rules are removed and the proxy is killed, and else. */
const DATAGRAMS_FOR_A_LOSS = { disturbed: 200, harmless: 10_000 } as const;
/** Seconds of calm load that opens whatever a process keeps open. */
const WARM_UP_SECONDS = 4;
/** A line of progress comes so often. */
const PROGRESS_SECONDS = 10;
/** src/daemon/daemon.ts gives back after three seconds what only the start or a reload has needed. */
const SETTLED_MS = 4_000;

/** A soak under way. */
export class Soak {
  readonly #lab: Lab;
  readonly #scene: Scene;
  readonly #server: Load;
  readonly #begin = performance.now();
  /** Memory of the process that holds the listeners. */
  readonly #samples: Sample[] = [];
  /** The clients that have ended, and the one that runs. */
  readonly #clients: Load[] = [];
  #ticks = 0;

  private constructor(lab: Lab, scene: Scene, server: Load) {
    this.#lab = lab;
    this.#scene = scene;
    this.#server = server;
  }

  /** Runs one. */
  static async run(lab: Lab, seconds: number): Promise<Finding[]> {
    await furnish(lab);
    const untouched = await snapshotKernel(lab.router);
    const server = await startServer(lab);
    const soak = new Soak(lab, await Scene.open(lab), server);
    try {
      const findings = await soak.#run(seconds);
      await tproxy(lab, ["uninstall"]);
      const changed = difference(await snapshotKernel(lab.router), untouched);
      return [
        ...soak.#judgeFlows(),
        ...findings,
        none("objects of the kernel that were not so before", changed),
      ];
    } catch (error) {
      const { message } = error as Error;
      return [...soak.#judgeFlows(), none("no answer of the proxy that it should not have given", [message])];
    }
  }

  async #run(seconds: number): Promise<Finding[]> {
    const scene = this.#scene;
    const restless = await this.#part(RESTLESS, seconds * SHARES.restless);
    await scene.alone();
    await scene.during("restart", true, () => scene.replaceProxy(() => this.#stop()));

    // What a successor holds, to be compared with one that comes many upgrades later.
    const first = await this.#warmUp([...LASTING, UPGRADE]);
    const upgraded = await this.#part(HARMLESS, seconds * SHARES.upgrades);
    await scene.alone();
    const last = await this.#settle(first);

    const opened = await this.#warmUp(LASTING);
    const before = this.#atRest();
    this.#samples.length = 0;
    const lasting = await this.#part(LASTING, seconds * SHARES.life);
    const open = await this.#settle(opened);
    const after = this.#atRest();

    const past = await countPast(this.#lab) - scene.excusedPast;
    const { live } = this.#server.counts;
    await this.#stop();
    const { disturbed, harmless } = DATAGRAMS_FOR_A_LOSS;
    return [
      none("packets of new flows that went past the proxy, but for disturbances that cost some", [], past),
      judgeLost("with kills", restless.counts, disturbed),
      judgeLost("with upgrades", upgraded.counts, harmless),
      judgeLost("with rules that are removed", lasting.counts, disturbed),
      none("connections left at the server", [], live),
      judgeHoldings("after upgrades", first, last),
      judgeHoldings("after a long life", opened, open),
      judgeMemory(growthOf(this.#samples)),
      judgeRest(before, after, lasting.counts.flows),
      none("proxies that have handed over and not ended as they should", scene.badEnds),
      ...this.#judgeLog(),
    ];
  }

  /** Load and disturbances for so many seconds. */
  #part(disturbances: readonly Disturbance[], seconds: number): Promise<Load> {
    const tick = () => this.#tick();
    return this.#load({ calm: false }, () => disturb(this.#scene, disturbances, { seconds, tick }));
  }

  async #load(options: { calm: boolean }, work: () => Promise<void>): Promise<Load> {
    const client = await startClients(this.#lab, options);
    this.#clients.push(client);
    await work();
    await client.end();
    return client;
  }

  /** Has the process open whatever it keeps open; gives what it holds at rest then. */
  async #warmUp(disturbances: readonly Disturbance[]): Promise<Holdings> {
    await this.#load({ calm: true }, async () => {
      await disturbOnce(this.#scene, disturbances);
      await delay(WARM_UP_SECONDS * 1000);
    });
    await this.#scene.alone();
    // Calm clients leave UDP sessions behind, and no other.
    await delay(IDLE_SECONDS.udp * 1000 + SETTLED_MS);
    return await holdingsOf(this.#lab, this.#scene.service);
  }

  /** Waits until it holds no more than before; gives what it holds then. */
  async #settle(before: Holdings): Promise<Holdings> {
    const scene = this.#scene;
    await drain(this.#lab, scene.service, before);
    // After a reload it gives back what it needs no more.
    await scene.during(GOOD_RELOAD.name, GOOD_RELOAD.costs, () => GOOD_RELOAD.disturb(scene));
    await delay(SETTLED_MS);
    return await drain(this.#lab, scene.service, before);
  }

  #atRest(): number {
    return sampleMemory(this.#scene.service).bytes;
  }

  async #stop(): Promise<void> {
    const { service } = this.#scene;
    service.signal("SIGTERM");
    await service.ended();
  }

  #tick(): void {
    const { service } = this.#scene;
    if (service.running) this.#samples.push(sampleMemory(service));
    for (const end of [this.#server, ...this.#clients.slice(-1)]) end.assertRunning();
    if (++this.#ticks % PROGRESS_SECONDS === 0) print(this.#describe());
  }

  #describe(): string {
    const seconds = (performance.now() - this.#begin) / 1000;
    return describeProgress({ seconds, scene: this.#scene, server: this.#server, clients: this.#clients });
  }

  #judgeFlows(): Finding[] {
    const { windows } = this.#scene;
    const failures = [...this.#clients, this.#server].flatMap((end) => end.failures);
    const { wrong, failed, excused } = divide(failures, windows);
    const moved = divide(this.#clients.flatMap((end) => end.moves), windows).failed;
    const exchanges = this.#clients.reduce((sum, { counts }) => sum + counts.exchanges, 0);
    print(this.#describe());
    print(tellCosts(excused, windows));
    for (const line of findAccessLines(this.#lab, [...failed, ...moved])) {
      print(`the proxy on flows that failed: ${line}`);
    }
    return [
      none("flows with a wrong byte", tellFailures(wrong, windows), wrong.length),
      none(
        "flows that failed, but for disturbances that cost some",
        tellFailures(failed, windows),
        failed.length,
      ),
      judgeMoves(moved, windows, { exchanges, most: DATAGRAMS_FOR_A_LOSS.harmless }),
    ];
  }

  #judgeLog(): Finding[] {
    const { log } = this.#scene;
    if (Deno.env.get("TPROXY_LAB_TRACE") !== undefined) print(log);
    const lines = log.split("\n");
    const errors = lines.filter((line) => / (error|ERROR) /.test(line) && !/not reloaded/.test(line));
    const last = lines.findLast((line) => line !== "") ?? "";
    return [
      none("errors in the log", errors),
      none("last words of the last proxy but that it has stopped", / stopped /.test(last) ? [] : [last]),
    ];
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
