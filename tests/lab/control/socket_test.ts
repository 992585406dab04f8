/** The control socket: who may connect, who may listen there, and what it bears. */
import assert from "node:assert/strict";
import { askControl } from "../../../src/daemon/control/client.ts";
import type { Lab } from "../../laboratory/lab.ts";
import { until } from "../../laboratory/machine/wait.ts";
import { asNobody } from "../../laboratory/programs/nobody.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { controlPath, startProxy, tproxy, tproxyCommand } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { connectClient, serve } from "../../laboratory/network/sockets.ts";

const STATUS = { method: "GET", target: "/v1/status" } as const;

/** Two of these do not take each other's place in the kernel. */
const EARLY = { intercept: { admission: "early" } };

async function askStatus(path: string): Promise<{ pid: number; phase: string; connections: number }> {
  const reply = await askControl(path, STATUS);
  assert.equal(reply?.status, 200, reply?.text);
  return JSON.parse(reply.text);
}

function config(lab: Lab, name: string, more: object = {}): string {
  const text = { listener: { port: 50090 }, control: controlPath(lab), ...more };
  return lab.writeFile(`${name}.yaml`, JSON.stringify(text));
}

labTest("root alone connects to the control socket, and a second proxy does not take it", {
  programs: ["curl", "setpriv"],
}, async (lab) => {
  const proxy = await startProxy(lab);
  const path = controlPath(lab);
  assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
  assert.equal((await askStatus(path)).pid, proxy.pid);
  const curl = ["curl", "-sS", "--unix-socket", path, "http://localhost/v1/status"];
  assert.equal(JSON.parse((await lab.router.run(curl)).stdout).pid, proxy.pid);
  const nobody = await lab.router.run([...asNobody(lab), ...curl], { mayFail: true });
  assert.notEqual(nobody.code, 0);
  assert.match(nobody.stderr, /connect/);
  const second = await tproxy(lab, ["run", "-c", config(lab, "second")], { mayFail: true });
  assert.equal(second.code, 1, second.stderr);
  assert.match(second.stderr, new RegExp(`the proxy with pid ${proxy.pid} has it\\. Set control`));
  assert.equal((await askStatus(path)).pid, proxy.pid, "it was taken");
  const plain = config(lab, "plain", { control: lab.writeFile("plain", "text") });
  const file = await tproxy(lab, ["run", "-c", plain], { mayFail: true });
  assert.match(file.stderr, /no socket/);
  assert.equal(Deno.readTextFileSync(`${lab.directory}/plain`), "text");
});

labTest("the place of a proxy that was killed, or drains, is the next one's; none is left at the end", {
  programs: ["socat"],
}, async (lab) => {
  const path = controlPath(lab);
  await serve(lab, 7000, "cat");
  const killed = await startProxy(lab);
  await killed.program.stop("SIGKILL");
  assert.ok(Deno.lstatSync(path).isSocket);
  const draining = await startProxy(lab);
  assert.equal((await askStatus(path)).pid, draining.pid);
  const client = await connectClient(lab, 7000);
  await until(async () => (await askStatus(path)).connections === 1, { what: "a connection" });
  draining.program.signal("SIGTERM");
  await until(async () => (await askStatus(path)).phase === "draining", { what: "draining" });
  const next = await lab.router.start([...tproxyCommand(), "run", "-c", config(lab, "next", EARLY)]);
  await next.waitForOutput("relays TCP");
  assert.equal((await askStatus(path)).pid, next.pid);
  await client.stop();
  assert.equal(await draining.program.waitForExit(), 0);
  assert.equal((await askStatus(path)).pid, next.pid, "its place went with the one that drained");
  next.signal("SIGTERM");
  await next.waitForExit();
  assert.throws(() => Deno.lstatSync(path), Deno.errors.NotFound);
});

labTest(
  "a proxy that can have no control socket says so, and relays",
  { programs: ["nginx"] },
  async (lab) => {
    const nginx = await startNginx(lab);
    const proxy = await startProxy(lab, { config: { control: "/proc/nowhere/control.sock" } });
    assert.match(proxy.log, /warn nobody can ask this proxy control=\/proc\/nowhere\/control\.sock reason=/);
    assert.equal(await nginx.get(4), "hello\n");
  },
);

/** Connects so often, says so, and keeps all it is left until its input ends. */
const KNOCK = `import socket, sys
held = []
for i in range(int(sys.argv[2])):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    held.append(s)
print("all", flush=True)
sys.stdin.read()`;

labTest("a thousand who connect and say nothing cost few descriptors, and keep nobody from asking", {
  programs: ["socat", "python3"],
}, async (lab) => {
  await serve(lab, 7000, "cat");
  const proxy = await startProxy(lab);
  const path = controlPath(lab);
  const client = await connectClient(lab, 7000);
  await client.write("one\n");
  await client.waitForOutput("one\n");
  await askStatus(path);
  const before = proxy.descriptorCount();
  const knocking = await lab.router.start(["python3", "-c", KNOCK, path, "1000"]);
  await knocking.waitForOutput("all", { timeoutMs: 30_000 });
  assert.equal((await askStatus(path)).connections, 1);
  const held = proxy.descriptorCount() - before;
  assert.ok(held <= 16 + 4, `${held} descriptors more`);
  await client.write("two\n");
  await client.waitForOutput("two\n");
  // Those who are left are cut off, for they ask nothing.
  await until(() => proxy.descriptorCount() <= before + 4, { what: "their end", timeoutMs: 20_000 });
  assert.doesNotMatch(proxy.log, / (error|warn) /);
});
