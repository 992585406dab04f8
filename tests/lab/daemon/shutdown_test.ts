/** Start and end of `tproxy run`: what it says, what it refuses, how it drains. */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { PROXY_PORT, startProxy, tproxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { connectClient, serve } from "../../laboratory/network/sockets.ts";
import { delay } from "../../laboratory/machine/wait.ts";

const PROGRAMS = ["curl", "nginx", "socat", "ss"];

labTest(
  "run says what it does in one line, and with what power in another",
  { programs: PROGRAMS },
  async (lab) => {
    const nginx = await startNginx(lab);
    const proxy = await startProxy(lab);
    assert.equal(await nginx.get(4), "hello\n");
    await delay(200);
    assert.equal(proxy.log.trimEnd().split("\n").length, 2, proxy.log);
    assert.match(proxy.log, /50080/);
  },
);

labTest("run logs connections at level debug", { programs: PROGRAMS }, async (lab) => {
  const nginx = await startNginx(lab);
  const proxy = await startProxy(lab, { config: { log: { level: "debug" } } });
  for (const family of [4, 6] as const) {
    assert.equal(await nginx.get(family), "hello\n");
    await proxy.program.waitForOutput(ADDRESSES[family].client);
    await proxy.program.waitForOutput(ADDRESSES[family].server);
  }
});

for (
  const [what, argv] of Object.entries({
    "another program": ["socat", `TCP4-LISTEN:${PROXY_PORT},bind=127.0.0.1`, "-"],
    "another tproxy": undefined,
  })
) {
  labTest(
    `run fails with a clear error when its port is taken by ${what}`,
    { programs: PROGRAMS },
    async (lab) => {
      const { configPath } = argv === undefined
        ? await startProxy(lab, { install: false, config: { control: "off" } })
        : { configPath: writeConfig(lab) };
      if (argv !== undefined) await lab.router.start(argv, { listens: PROXY_PORT });
      const { code, stderr } = await tproxy(lab, ["run", "-c", configPath], {
        mayFail: true,
        timeoutMs: 5_000,
      });
      assert.equal(code, 1, stderr);
      assert.match(stderr, /127\.0\.0\.1:50080/);
      assert.match(stderr, /EADDRINUSE/);
    },
  );
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  labTest(`run drains after ${signal}: live transfers end, new ones are not taken, exit 0`, {
    programs: PROGRAMS,
  }, async (lab) => {
    const nginx = await startNginx(lab);
    await lab.server.run(["truncate", "-s", "40M", `${lab.directory}/file`]);
    const proxy = await startProxy(lab);
    // More than the kernel's buffers on the way hold.
    const transfer = ["curl", "-sSf", "--limit-rate", "20M", "-w", "%{size_download}", "-o/dev/null"];
    const curl = await lab.client.start([...transfer, nginx.url(4, "/files/file")]);
    await delay(500);
    proxy.program.signal(signal);
    await delay(300);
    const late = await lab.client.run(["curl", "-sSm1", nginx.url(4)], { mayFail: true });
    assert.notEqual(late.code, 0, "a new connection was taken while draining");
    assert.equal(await curl.waitForExit(), 0, curl.output);
    assert.equal(curl.stdout, `${40 << 20}`);
    assert.equal(await proxy.program.waitForExit({ timeoutMs: 3_000 }), 0, proxy.log);
  });
}

labTest("run stops draining after timeouts.drain, exit 0", { programs: PROGRAMS }, async (lab) => {
  await serve(lab, 7000, "cat");
  const proxy = await startProxy(lab, { config: { timeouts: { drain: "1s" } } });
  const client = await connectClient(lab, 7000);
  await client.write("hello\n");
  await client.waitForOutput("hello\n");
  const start = performance.now();
  proxy.program.signal("SIGTERM");
  assert.equal(await proxy.program.waitForExit({ timeoutMs: 4_000 }), 0, proxy.log);
  assert.ok(performance.now() - start > 900, "it did not wait");
  await client.waitForOutput(/reset by peer/i);
});

labTest("run ends at once on a second signal", { programs: PROGRAMS }, async (lab) => {
  await serve(lab, 7000, "cat");
  const proxy = await startProxy(lab);
  const client = await connectClient(lab, 7000);
  await client.write("hello\n");
  await client.waitForOutput("hello\n");
  proxy.program.signal("SIGTERM");
  await delay(500);
  assert.ok(proxy.program.running, "the first signal drains");
  proxy.program.signal("SIGTERM");
  await proxy.program.waitForExit({ timeoutMs: 1_500 });
});

labTest("run without connections ends at once on SIGTERM, exit 0", {}, async (lab) => {
  const proxy = await startProxy(lab);
  proxy.program.signal("SIGTERM");
  assert.equal(await proxy.program.waitForExit({ timeoutMs: 1_500 }), 0, proxy.log);
});
