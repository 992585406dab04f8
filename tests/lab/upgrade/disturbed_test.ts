/** Connections on their way to a successor that has less, that is killed, or that is not alone. */
import assert from "node:assert/strict";
import { askControl } from "../../../src/daemon/control/client.ts";
import type { Lab } from "../../laboratory/lab.ts";
import { print } from "../../laboratory/machine/print.ts";
import { descriptorCount, isAlive } from "../../laboratory/machine/procfs.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { connectClient, serve } from "../../laboratory/network/sockets.ts";
import { startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { controlPath, tproxy, tproxyCommand, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { beginSuccessor, succeed } from "../../laboratory/upgrade/successor.ts";
import { startTransfers } from "../../laboratory/upgrade/transfers.ts";

const OPTIONS = {
  programs: ["cc", "socat", "prlimit"],
  netlinkOnly: "with kernel.backend iptables nothing is handed over",
};
const LONG = { drain: "60s" };

interface State {
  readonly pid: number;
  readonly workers: number;
  readonly counters: { readonly connected: number };
}

async function state(lab: Lab): Promise<State> {
  const reply = await askControl(controlPath(lab), { method: "GET", target: "/v1/status" });
  return JSON.parse(reply!.text);
}

/** Waits until the proxy has dialled for so many. */
async function begun(lab: Lab, count: number): Promise<void> {
  const isEnough = async () => (await state(lab)).counters.connected >= count;
  await until(isEnough, { what: "connections", timeoutMs: 20_000 });
}

labTest(
  "a successor that may have fewer descriptors leaves connections where they are: each comes to its end",
  OPTIONS,
  async (lab) => {
    await serve(lab, 7000, "cat");
    const proxy = await startUdpProxy(lab, { timeouts: LONG });
    const transfers = await startTransfers(lab, { count: 300, atOnce: 300, seconds: 12 });
    await begun(lab, 300);
    const successor = await beginSuccessor(lab, proxy.configPath, ["prlimit", "--nofile=256"]);
    await successor.waitForOutput("privileges: ", { timeoutMs: 60_000 });
    await proxy.program.waitForOutput("connections end here: the one that takes over takes no more");
    const client = await connectClient(lab, 7000);
    await client.write("hello\n");
    await client.waitForOutput("hello\n");
    await client.closeInput();
    assert.equal(await client.waitForExit(), 0);
    const { client: { done, failed }, server } = await transfers.end(60_000);
    assert.deepEqual({ done, failed, lost: server.failed }, { done: 300, failed: 0, lost: 0 });
    assert.equal(await proxy.program.waitForExit({ timeoutMs: 20_000 }), 0, proxy.log);
    await until(() => /the one before has ended/.test(successor.output), { what: "its end to be seen" });
  },
);

labTest(
  "upgrade gives the successor the descriptors of the one before, whatever its own shell may have",
  OPTIONS,
  async (lab) => {
    const proxy = await startUdpProxy(lab);
    const limit = (pid: number) =>
      /^Max open files .*$/m.exec(Deno.readTextFileSync(`/proc/${pid}/limits`))![0];
    const before = limit(proxy.pid);
    const { stdout } = await lab.router.run(
      ["prlimit", "--nofile=200:300", ...tproxyCommand(), "upgrade", "-c", proxy.configPath],
      { timeoutMs: 60_000 },
    );
    const { pid } = await state(lab);
    try {
      assert.match(stdout, new RegExp(`pid ${pid} runs`));
      assert.equal(limit(pid), before);
    } finally {
      Deno.kill(pid, "SIGTERM");
      await until(() => !isAlive(pid), { what: "its end" });
    }
  },
);

labTest(
  "a successor that is killed while connections come takes along those that it has, and no other",
  OPTIONS,
  async (lab) => {
    const proxy = await startUdpProxy(lab, { timeouts: LONG, listener: { workers: 1 } });
    const transfers = await startTransfers(lab, { count: 600, atOnce: 600, seconds: 12 });
    await begun(lab, 600);
    const successor = await beginSuccessor(lab, proxy.configPath);
    await successor.waitForOutput("taken over", { timeoutMs: 60_000 });
    const before = descriptorCount(successor.pid);
    for (let ms = 0; descriptorCount(successor.pid) < before + 300 && ms < 5000; ms++) await delay(1);
    successor.signal("SIGKILL");
    await proxy.program.waitForOutput("connections end here");
    const { client, server } = await transfers.end(90_000);
    print(JSON.stringify({ client, server }));
    assert.equal(client.done + client.failed, 600);
    assert.ok(client.failed >= 10, "it was killed too early");
    assert.equal(await proxy.program.waitForExit({ timeoutMs: 20_000 }), 0, proxy.log);
  },
);

for (const [from, to] of [[1, 3], [2, 1]]) {
  labTest(
    `${from} workers stay ${from} where the config says ${to}, and have all connections`,
    OPTIONS,
    async (lab) => {
      const config = { intercept: { protocols: ["tcp", "udp"] }, timeouts: { drain: "0s" } };
      const proxy = await startUdpProxy(lab, { ...config, listener: { workers: from } });
      const transfers = await startTransfers(lab, { count: 400, atOnce: 400, seconds: 12 });
      await begun(lab, 400);
      writeConfig(lab, { ...config, listener: { workers: to } });
      await succeed(lab, proxy);
      assert.equal(await proxy.program.waitForExit({ timeoutMs: 20_000 }), 0, proxy.log);
      assert.match(proxy.log, /connections are handed over connections=[1-9]\d/);
      assert.equal((await state(lab)).workers, from);
      const { client: { done, failed }, server } = await transfers.end(60_000);
      assert.deepEqual({ done, failed, lost: server.failed }, { done: 400, failed: 0, lost: 0 });
    },
  );
}

labTest(
  "of two upgrades at once one takes over, and the other one says who goes on",
  OPTIONS,
  async (lab) => {
    const proxy = await startUdpProxy(lab);
    const transfers = await startTransfers(lab, { count: 600, atOnce: 400, seconds: 12 });
    await delay(1000);
    const words = ["upgrade", "-c", proxy.configPath];
    const both = await Promise.all(
      [0, 1].map(() => tproxy(lab, words, { mayFail: true, timeoutMs: 90_000 })),
    );
    const { pid } = await state(lab);
    try {
      const [first, second] = both.sort((a, b) => a.code - b.code);
      assert.equal(first.code, 0, first.stderr);
      if (second.code === 0) {
        // It was later, and has taken over from the first.
        assert.match(second.stdout, new RegExp(`pid ${pid} runs`));
      } else {
        assert.equal(second.code, 1, second.stderr);
        assert.match(second.stderr, /another handover is under way|still lets its last|no proxy answers/);
        assert.match(second.stderr, /has not taken over: the proxy with pid \d+ goes on/);
      }
      const { client: { done, failed }, server } = await transfers.end(60_000);
      assert.deepEqual({ done, failed, lost: server.failed }, { done: 600, failed: 0, lost: 0 });
    } finally {
      Deno.kill(pid, "SIGTERM");
      await until(() => !isAlive(pid), { what: "its end", timeoutMs: 20_000 });
    }
  },
);
