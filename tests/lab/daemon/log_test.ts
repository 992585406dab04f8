/** The log in a storm: a message that repeats has some lines a minute, however often it would have one. */
import assert from "node:assert/strict";
import { until } from "../../laboratory/machine/wait.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { PROXY_PORT, startProxy, tproxy, tproxyCommand, writeConfig } from "../../laboratory/proxy/proxy.ts";
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

for (const format of ["text", "json"]) {
  labTest(`In the journal all lines of ${format} begin with a severity, elsewhere none does`, {
    programs: ["nginx", "curl"],
  }, async (lab) => {
    const nginx = await startNginx(lab);
    const configPath = writeConfig(lab, { log: { format, access: "on" } });
    await tproxy(lab, ["install", "-c", configPath]);
    const words = [...tproxyCommand(), "run", "-c", configPath].join(" ");
    const read = (name: string) => {
      const lines = Deno.readTextFileSync(`${lab.directory}/${name}`).trimEnd().split("\n");
      // The single file's own word, at its first start on a machine.
      return lines.filter((line) => !line.startsWith("Unpacking "));
    };
    // What a file is told as its stream makes it one of the journal; a stream of somebody else's does not.
    for (const [name, stream] of [["journal", "journal"], ["plain", "tproxy.yaml"]]) {
      const start =
        `cd ${lab.directory}; exec 2> ${name}; JOURNAL_STREAM=$(stat -c %d:%i ${stream}) exec ${words}`;
      const program = await lab.router.start(["sh", "-c", start], { listens: PROXY_PORT });
      await until(() => read(name).some((line) => line.includes(`${PROXY_PORT}`)), {
        what: "its first line",
      });
      await nginx.get(4);
      const tells = (line: string) => /server[.=]/.test(line) && /bytes[_-]up|"bytes_up"/.test(line);
      await until(() => read(name).some(tells), { what: "a line for the flow" });
      program.signal("SIGTERM");
      assert.equal(await program.waitForExit({ timeoutMs: 10_000 }), 0);
    }
    const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/;
    for (const line of read("journal")) {
      assert.match(line, format === "json" ? /^<[3-7]>\{"time":/ : /^<[3-7]>[^<]/);
      if (format === "text") assert.doesNotMatch(line, time);
    }
    for (const line of read("plain")) {
      assert.match(line, format === "json" ? /^\{"time":/ : new RegExp(`^${time.source} (info|warn|error) `));
    }
    if (format === "text") return;
    const fields = JSON.parse(read("plain").find((line) => line.includes('"bytes_up"'))!);
    for (
      const name of ["client.address", "client.port", "server.address", "network.transport", "duration_s"]
    ) {
      assert.ok(name in fields, `${name}: ${JSON.stringify(fields)}`);
    }
  });
}
