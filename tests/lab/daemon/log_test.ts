/** The log in a storm: a message that repeats has some lines a minute, however often it would have one. */
import assert from "node:assert/strict";
import { until } from "../../laboratory/machine/wait.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { startProxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

labTest("Seconds without descriptors and seconds of refused dials make less than 60 kB of log", {
  programs: ["nginx", "wrk", "prlimit"],
}, async (lab) => {
  const nginx = await startNginx(lab, { accessLog: false });
  const proxy = await startProxy(lab, {
    config: { limits: { connections: 2000 } },
    // prlimit(1) may not touch what another user runs, where root is not quite root: in a container.
    arguments: ["--privileges", "keep"],
  });
  const flood = async (seconds: number, url: string) => {
    const argv = ["wrk", "-t1", "-c100", `-d${seconds}s`, "-H", "Connection: close", url];
    return (await lab.client.run(argv, { mayFail: true })).stdout;
  };
  const limitDescriptors = (soft: number) =>
    lab.router.run(["prlimit", `--pid=${proxy.pid}`, `--nofile=${soft}:`]);
  await limitDescriptors(proxy.descriptorCount() + 8);
  await flood(6, nginx.url(4));
  assert.match(proxy.log, / accepting pauses: /);
  await limitDescriptors(1000);
  await until(() => nginx.get(4).then(() => true, () => false), { what: "an answer" });
  await flood(2, nginx.url(4).replace(":80", ":7999"));
  proxy.program.signal("SIGTERM");
  assert.equal(await proxy.program.waitForExit({ timeoutMs: 60_000 }), 0);
  const lines = proxy.log.match(/ accepting pauses: .* live=/g)!.length;
  assert.ok(lines <= 20 && proxy.log.length < 60_000, `${lines} lines, ${proxy.log.length} bytes of log`);
});
