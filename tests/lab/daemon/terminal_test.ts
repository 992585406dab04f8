/** `tproxy run` and what its output leads to: terminals that are closed, pipes that nobody reads. */
import assert from "node:assert/strict";
import type { Lab } from "../../laboratory/lab.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { isAlive, listChildren, listens } from "../../laboratory/machine/procfs.ts";
import { PROXY_PORT, startProxy, tproxy, tproxyCommand, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { connectClient, serve } from "../../laboratory/network/sockets.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";

const PROGRAMS = ["curl", "nginx", "socat", "script", "ss"];

labTest(
  "run reloads on SIGHUP and goes on; while it drains it only notes it",
  { programs: PROGRAMS },
  async (lab) => {
    await serve(lab, 7000, "cat");
    const proxy = await startProxy(lab);
    const client = await connectClient(lab, 7000);
    for (
      const [text, signal, answer] of [
        ["one", "SIGHUP", "reloaded: generation 2 is in force"],
        ["two", "SIGTERM", "draining"],
        ["three", "SIGHUP", "no reload: the proxy is about to end"],
      ] as const
    ) {
      await client.write(`${text}\n`);
      await client.waitForOutput(`${text}\n`);
      proxy.program.signal(signal);
      await proxy.program.waitForOutput(answer);
    }
    await delay(300);
    await client.write("four\n");
    await client.waitForOutput("four\n");
    await client.stop();
    assert.equal(await proxy.program.waitForExit(), 0, proxy.log);
  },
);

/** `run` as an SSH session has it: a terminal of its own, whose session it leads. */
async function startOnTerminal(lab: Lab, configPath: string) {
  const words = [...tproxyCommand(), "run", "-c", configPath].join(" ");
  const terminal = await lab.router.start(["script", "-qec", `exec ${words}`, "/dev/null"], {
    listens: PROXY_PORT,
  });
  await terminal.waitForOutput(`${PROXY_PORT}`);
  return { terminal, pid: listChildren(terminal.pid)[0] };
}

labTest("run survives its terminal: connections go on, new ones are taken, SIGTERM drains", {
  programs: PROGRAMS,
}, async (lab) => {
  await serve(lab, 7000, "cat");
  const nginx = await startNginx(lab);
  const configPath = writeConfig(lab, { log: { level: "debug" } });
  await tproxy(lab, ["install", "-c", configPath]);
  const { terminal, pid } = await startOnTerminal(lab, configPath);
  // On a terminal, and only there, it says so.
  await terminal.waitForOutput("it stays when this terminal is closed");
  const client = await connectClient(lab, 7000);
  await client.write("before\n");
  await client.waitForOutput("before\n");
  // Nobody holds the other side of the terminal any more: the kernel hangs it up.
  await terminal.stop("SIGKILL");
  await delay(500);
  assert.ok(isAlive(pid), "it has ended with its terminal");
  assert.throws(() => Deno.writeTextFileSync(`/proc/${pid}/fd/2`, "x"), "the terminal is still there");
  await client.write("after\n");
  await client.waitForOutput("after\n");
  for (const family of [4, 6] as const) assert.equal(await nginx.get(family), "hello\n");
  Deno.kill(pid, "SIGTERM");
  await until(() => !listens(pid, PROXY_PORT), { what: "the end of the listeners" }).catch(() => {});
  await client.write("draining\n");
  await client.waitForOutput("draining\n");
  assert.ok(isAlive(pid), "it has not waited for the connection");
  await client.stop();
  await until(() => !isAlive(pid), { what: "the end of the drain" });
});

labTest("run is held up by no reader of its log: it serves, drains, and ends", {
  programs: PROGRAMS,
}, async (lab) => {
  const nginx = await startNginx(lab);
  await serve(lab, 7000, "cat");
  const configPath = writeConfig(lab, { log: { level: "debug" } });
  await tproxy(lab, ["install", "-c", configPath]);
  const pipe = `${lab.directory}/log`;
  await lab.router.run(["mkfifo", pipe]);
  const reader = await lab.router.start(["sh", "-c", `exec sleep 1000 < ${pipe}`]);
  // It is full before the first line.
  await lab.router.run(["dd", "if=/dev/zero", `of=${pipe}`, "bs=65536", "count=1", "status=none"]);
  const words = [...tproxyCommand(), "run", "-c", configPath].join(" ");
  const program = await lab.router.start(["sh", "-c", `exec ${words} 2> ${pipe}`], { listens: PROXY_PORT });
  for (let i = 0; i < 5; i++) {
    for (const family of [4, 6] as const) assert.equal(await nginx.get(family), "hello\n");
  }
  const client = await connectClient(lab, 7000);
  await client.write("hello\n");
  await client.waitForOutput("hello\n");
  program.signal("SIGTERM");
  await delay(500);
  assert.ok(program.running, "it has not waited for the connection");
  await client.stop();
  assert.equal(await program.waitForExit({ timeoutMs: 5_000 }), 0);
  assert.ok(reader.running, "the pipe had a reader no more");
});
