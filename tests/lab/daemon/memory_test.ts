/**
 * The product's use of a router's memory: bounds that README names, and the fate of clients when the kernel
 * has none left. The tests take the packed file as a user has it, V8's code compiled; numbers are of this
 * machine's pages, and bounds, not typical values.
 */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { MemoryCgroup, memoryCgroupObstacle } from "../../laboratory/machine/memory_cgroup.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import {
  anonymousBytes,
  isAlive,
  peakResidentBytes,
  residentBytes,
} from "../../laboratory/machine/procfs.ts";
import { print } from "../../laboratory/machine/print.ts";
import { Program } from "../../laboratory/program.ts";
import type { Proxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";

const PRODUCT = new URL("../../../dist/tproxy", import.meta.url).pathname;
const MB = 1_000_000;
const MIB = 1 << 20;
/** src/daemon/daemon.ts gives back after three seconds what only the start has needed. */
const SETTLED_MS = 12_000;

/** The bounds. With the pages of the start, 65 MB stay resident. */
const RESIDENT = 52 * MB;
/** 29 MB; with the text of all commands 31, with Node's modules 33, with buffers in malloc's heap 31. */
const ANONYMOUS = 30.5 * MB;
/** During the start; 100 MB and more where V8 has to compile. */
const PEAK = 86 * MB;
/** README says 8.2 MB. */
const EACH_WORKER = 9 * MB;
/** After three seconds what only the start has needed is given back. */
const QUIET_MS = 6000;

function productObstacle(): string | undefined {
  try {
    return Deno.statSync(PRODUCT).isFile ? undefined : "needs dist/tproxy";
  } catch {
    return "needs dist/tproxy (scripts/build makes it)";
  }
}

/** Starts the product with a cache of the laboratory's own; the second start has everything compiled. */
async function startProduct(lab: Lab, workers: number, wrapper: readonly string[] = []): Promise<Proxy> {
  const env = { TPROXY_CACHE_DIR: `${lab.directory}/cache` };
  await lab.router.run([PRODUCT, "--version"], { env, timeoutMs: 120_000 });
  const before = Deno.env.get("TPROXY_BIN");
  Deno.env.set("TPROXY_BIN", PRODUCT);
  try {
    return await startUdpProxy(lab, { listener: { workers } }, { env, wrapper });
  } finally {
    if (before === undefined) Deno.env.delete("TPROXY_BIN");
    else Deno.env.set("TPROXY_BIN", before);
  }
}

async function fetchPage(lab: Lab): Promise<boolean> {
  const argv = ["curl", "-sfm5", "-o/dev/null", `http://${ADDRESSES[4].server}/`];
  return (await lab.client.run(argv, { mayFail: true })).code === 0;
}

const obstacle = productObstacle();
const needs = { programs: ["curl", "nginx"], ...obstacle === undefined ? {} : { obstacle } };

labTest("run with one worker has at most 52 MB, before and after traffic", needs, async (lab) => {
  await startNginx(lab, { accessLog: false });
  const proxy = await startProduct(lab, 1);
  await until(() => residentBytes(proxy.pid) <= RESIDENT, {
    what: `at most ${RESIDENT / MB} MB resident`,
    timeoutMs: SETTLED_MS,
  }).catch((error) => {
    throw new Error(`${error.message}: ${residentBytes(proxy.pid) / MB} MB`);
  });
  const command = Deno.readTextFileSync(`/proc/${proxy.pid}/cmdline`).split("\0");
  assert.ok(command.some((word) => word.endsWith("/run.js")), `not the proxy alone: ${command}`);
  const anonymous = anonymousBytes(proxy.pid);
  print(`${anonymous / MB} MB anonymous, ${residentBytes(proxy.pid) / MB} MB resident`);
  assert.ok(anonymous <= ANONYMOUS, `${anonymous / MB} MB anonymous`);
  const peak = peakResidentBytes(proxy.pid);
  assert.ok(peak <= PEAK, `${peak / MB} MB during the start: is V8's compiled code not taken?`);
  for (let i = 0; i < 20; i++) assert.ok(await fetchPage(lab), `page ${i}`);
  const after = residentBytes(proxy.pid);
  print(`${peak / MB} MB during the start, ${after / MB} MB resident after traffic`);
  assert.ok(after <= RESIDENT, `${after / MB} MB resident after traffic`);
});

labTest("each further worker of run costs at most 9 MB of anonymous memory", needs, async (lab) => {
  const costs = new Map<number, number>();
  for (const workers of [1, 4]) {
    const proxy = await startProduct(lab, workers);
    await delay(QUIET_MS);
    costs.set(workers, anonymousBytes(proxy.pid));
    await proxy.program.stop();
  }
  const each = (costs.get(4)! - costs.get(1)!) / 3;
  print(`${each / MB} MB`);
  assert.ok(each <= EACH_WORKER, `${each / MB} MB`);
  assert.ok(each >= MB, `${each / MB} MB: are there workers at all?`);
});

const cgroups = { ...needs, forwarding: true, ...limitObstacle() };

function limitObstacle(): { obstacle?: string } {
  const found = obstacle ?? memoryCgroupObstacle();
  return found === undefined ? {} : { obstacle: found };
}

labTest("run in a cgroup of 128 MiB has one worker and says why", cgroups, async (lab) => {
  await using cgroup = new MemoryCgroup(128 * MIB);
  const env = { TPROXY_CACHE_DIR: `${lab.directory}/cache` };
  const config = lab.writeFile("auto.yaml", "version: 1\nintercept: { interfaces: [r0] }\n");
  const program = await lab.router.start([...cgroup.wrapper, PRODUCT, "run", "-c", config], { env });
  await program.waitForOutput("relays", { timeoutMs: 120_000 });
  assert.match(program.stderr, / workers=1 workers-by="memory of the cgroup: 128 MiB"/);
  assert.equal(cgroup.killed, 0);
  await program.stop();
});

labTest("run that the kernel kills for want of memory leaves clients forwarded", cgroups, async (lab) => {
  await using cgroup = new MemoryCgroup(128 * MIB);
  await startNginx(lab, { accessLog: false });
  const proxy = await startProduct(lab, 1, cgroup.wrapper);
  assert.ok(await fetchPage(lab), "through the proxy");
  // Something else in the cgroup wants more than there is; the kernel is told whom to take first.
  Deno.writeTextFileSync(`/proc/${proxy.pid}/oom_score_adj`, "1000");
  const hog = new Program([...cgroup.wrapper, "sh", "-c", "head -c 200M /dev/zero | tail -c 200M | wc -c"]);
  try {
    await until(() => !isAlive(proxy.pid), { what: "the kernel to kill the proxy", timeoutMs: 20_000 });
    assert.ok(cgroup.killed >= 1);
    assert.ok(await fetchPage(lab), "on-failure: open forwards");
  } finally {
    await hog.stop("SIGKILL");
  }
});
