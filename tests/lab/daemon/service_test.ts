/** `tproxy run` as a service: what it tells the service manager, over a real unix datagram socket. */
import assert from "node:assert/strict";
import { monotonicMicroseconds } from "../../../ffi/clock.ts";
import { ServiceManagerSocket } from "../../unit/daemon/support/manager.ts";
import { FrozenThread, workerThreads } from "../../laboratory/machine/frozen_thread.ts";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { listChildren, listens } from "../../laboratory/machine/procfs.ts";
import { PROXY_PORT, type ProxyOptions, startProxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { connectClient, serve } from "../../laboratory/network/sockets.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";

const PROGRAMS = ["socat"];

/** A service manager that keeps the messages of a service, line by line, from the beginning. */
class Manager extends ServiceManagerSocket {
  readonly said: string[] = [];

  constructor(lab: Lab) {
    super(`${lab.directory}/notify`);
  }

  /** Reads what has come; the lines from the n-th on. */
  from(n: number): string[] {
    this.said.push(...this.all().flatMap((datagram) => datagram.split("\n")));
    return this.said.slice(n);
  }

  async waitFor(line: RegExp, from = 0): Promise<string> {
    await until(() => this.from(from).some((said) => line.test(said)), { what: `${line}` })
      .catch((error) => {
        throw new Error(`${error.message}; it said ${JSON.stringify(this.said)}`);
      });
    return this.said.slice(from).find((said) => line.test(said))!;
  }
}

function managed(lab: Lab, watchdogMs = 0): { env: Record<string, string> } {
  return {
    env: {
      NOTIFY_SOCKET: `${lab.directory}/notify`,
      ...(watchdogMs === 0 ? {} : { WATCHDOG_USEC: `${watchdogMs * 1000}` }),
    },
  };
}

/** Fails if it is ready before it listens. */
async function startManaged(lab: Lab, manager: Manager, options: ProxyOptions) {
  const starting = startProxy(lab, options);
  await manager.waitFor(/^READY=1$/);
  const listening = lab.router.programs.some(({ pid }) => listens(pid, PROXY_PORT));
  assert.ok(listening, "it is ready before it listens");
  return await starting;
}

labTest("run tells a service manager that it is ready, what it does, and that it stops", {
  programs: PROGRAMS,
}, async (lab) => {
  using manager = new Manager(lab);
  await serve(lab, 7000, "cat");
  const proxy = await startManaged(lab, manager, {
    ...managed(lab),
    config: { timeouts: { drain: "7s" }, listener: { workers: 1 } },
  });
  assert.match(await manager.waitFor(/^STATUS=/), /^STATUS=0 connections, 0 UDP sessions; IPv4 and IPv6; /);
  const client = await connectClient(lab, 7000);
  await client.write("hello\n");
  await client.waitForOutput("hello\n");
  proxy.program.signal("SIGTERM");
  await manager.waitFor(/^STOPPING=1$/);
  // The drain and what the end takes, microseconds: a unit's TimeoutStopSec need not know of timeouts.drain.
  assert.deepEqual(manager.said.filter((line) => line.startsWith("EXTEND")), [
    "EXTEND_TIMEOUT_USEC=17000000",
  ]);
  await manager.waitFor(/^STATUS=draining: 1 connection, /);
  await client.stop();
  assert.equal(await proxy.program.waitForExit(), 0, proxy.log);
  assert.deepEqual(manager.from(0).filter((line) => line.startsWith("WATCHDOG")), []);
});

labTest("run tells a service manager of a reload, and of the config in force where it refuses another", {
  programs: PROGRAMS,
}, async (lab) => {
  using manager = new Manager(lab);
  const proxy = await startManaged(lab, manager, managed(lab));
  const before = manager.from(0).length;
  const asked = monotonicMicroseconds();
  Deno.writeTextFileSync(proxy.configPath, "version: 1\nsource: nobody\n");
  proxy.program.signal("SIGHUP");
  await manager.waitFor(/^READY=1$/, before);
  const [reloading, time, ready, status] = manager.from(before);
  assert.deepEqual([reloading, ready], ["RELOADING=1", "READY=1"]);
  const said = BigInt(/^MONOTONIC_USEC=(\d+)$/.exec(time)![1]);
  assert.ok(asked <= said && said <= monotonicMicroseconds(), `${asked} ${said}`);
  assert.match(status, /; NOT RELOADED, generation 1 is in force: \/.*tproxy\.yaml:2:9: /);
  const again = manager.from(0).length;
  writeConfig(lab);
  proxy.program.signal("SIGHUP");
  await manager.waitFor(/^READY=1$/, again);
  assert.doesNotMatch(await manager.waitFor(/^STATUS=/, again), /NOT RELOADED/);
});

labTest("run feeds the watchdog while idle workers sleep, and not while one of them stands still", {
  programs: PROGRAMS,
}, async (lab) => {
  using manager = new Manager(lab);
  const proxy = await startManaged(lab, manager, {
    ...managed(lab, 800),
    config: { listener: { workers: 2 } },
  });
  const feeds = (from: number) => manager.from(from).filter((line) => line === "WATCHDOG=1").length;
  await until(() => feeds(0) >= 4, { what: "four signs of life of idle workers" });
  const threads = workerThreads(proxy.pid);
  assert.equal(threads.length, 2, `${threads}`);
  {
    using _ = new FrozenThread(threads[1]);
    await manager.waitFor(/^STATUS=HANGS: 1 worker \(1\)/, manager.said.length);
    const hanging = manager.from(0).length;
    await delay(2_000);
    assert.equal(feeds(hanging), 0, "the watchdog is fed although a worker hangs");
    assert.match(proxy.log, /workers hang: the watchdog is not fed workers=1/);
  }
  const resumed = manager.from(0).length;
  await until(() => feeds(resumed) >= 2, { what: "signs of life after it" });
  assert.match(proxy.log, /all workers turn again/);
  assert.doesNotMatch(manager.said.at(-1)!, /HANGS/);
});

labTest(
  "run under load feeds the watchdog, and its drain is no hang",
  { programs: PROGRAMS },
  async (lab) => {
    using manager = new Manager(lab);
    await serve(lab, 7000, "cat");
    const proxy = await startManaged(lab, manager, {
      ...managed(lab, 800),
      config: { listener: { workers: 2 } },
    });
    const client = await connectClient(lab, 7000);
    for (let i = 0; i < 10; i++) {
      await client.write(`line ${i}\n`);
      await client.waitForOutput(`line ${i}\n`);
    }
    proxy.program.signal("SIGTERM");
    // One worker has ended, the other has the connection.
    await delay(1_500);
    assert.doesNotMatch(proxy.log, /hang/);
    await client.stop();
    assert.equal(await proxy.program.waitForExit(), 0, proxy.log);
  },
);

labTest(
  "run gives its children none of the service manager's variables",
  { programs: PROGRAMS },
  async (lab) => {
    using manager = new Manager(lab);
    // With this backend it has a child: the shell that waits for its end.
    const config = { kernel: { backend: "iptables" } };
    const proxy = await startManaged(lab, manager, { ...managed(lab, 5_000), config, install: false });
    let children: number[] = [];
    await until(() => (children = listChildren(proxy.pid)).length === 1, {
      what: "the shell to be the only child",
    });
    assert.doesNotMatch(Deno.readTextFileSync(`/proc/${children[0]}/environ`), /NOTIFY_SOCKET|WATCHDOG/);
  },
);

labTest("run --install is ready although its rules must wait for the network, and says what they wait for", {
  programs: PROGRAMS,
}, async (lab) => {
  using manager = new Manager(lab);
  const config = { intercept: { interfaces: "auto" } };
  await startManaged(lab, manager, {
    ...managed(lab, 800),
    config,
    install: false,
    arguments: ["--install"],
  });
  assert.match(await manager.waitFor(/^STATUS=/), /; no rules yet: there is no default route/);
  await lab.router.ip(`route add default via ${ADDRESSES[4].server}`);
  await manager.waitFor(/^STATUS=.*; rules for r0$/);
});
