/** The clock of a router is set while the proxy runs: without a battery it is 1970 until NTP answers. */
import assert from "node:assert/strict";
import type { ConnectionRow } from "../../../src/daemon/control/connections/row.ts";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { SetClock } from "../../laboratory/machine/set_clock.ts";
import { until } from "../../laboratory/machine/wait.ts";
import { connectClient, serve } from "../../laboratory/network/sockets.ts";
import { exchange, openClient, openServer } from "../../laboratory/network/udp_peers.ts";
import {
  type ConfigText,
  Proxy,
  PROXY_PORT,
  sourceCommand,
  startProxy,
  tproxy,
  writeConfig,
} from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { startMicrosocks } from "../../laboratory/upstreams/proxies.ts";

const DAY_SECONDS = 86_400;
const PROGRAMS = ["gcc", "microsocks", "socat"];
const OFFICE = `${ADDRESSES[4].server}:1080`;

/** The source program by this clock. */
async function startByClock(lab: Lab, clock: SetClock, config: ConfigText): Promise<Proxy> {
  const configPath = writeConfig(lab, config);
  await tproxy(lab, ["install", "-c", configPath]);
  const program = await lab.router.start([...sourceCommand(), "run", "-c", configPath], {
    listens: PROXY_PORT,
    env: clock.env,
  });
  await program.waitForOutput(`${PROXY_PORT}`);
  return new Proxy(program, { configPath });
}

labTest("A clock that was 1970 when the proxy began is right everywhere as soon as it is set", {
  programs: PROGRAMS,
}, async (lab) => {
  const clock = await SetClock.make(lab);
  clock.set(DAY_SECONDS - Math.floor(Date.now() / 1000));
  await serve(lab, 7000, "cat");
  const proxy = await startByClock(lab, clock, { log: { access: "on", format: "json" } });
  const begun = Date.now();
  assert.match(proxy.log, /"time":"1970-01-02T/);
  const early = await connectClient(lab, 7000);
  await early.write("hello\n");
  await early.waitForOutput("hello\n");
  clock.set(0);
  const late = await connectClient(lab, 7000);
  await late.write("hello\n");
  await late.waitForOutput("hello\n");
  const ask = async (...args: string[]) => (await tproxy(lab, [...args, "-c", proxy.configPath])).stdout;
  const isNow = (text: string | number, what: string) => {
    const time = new Date(text).getTime();
    assert.ok(time > begun - 60_000 && time < Date.now() + 1000, `${what}: ${new Date(text).toISOString()}`);
  };

  const { connections } = JSON.parse(await ask("connections", "--json")) as { connections: ConnectionRow[] };
  assert.equal(connections.length, 2);
  for (const { started } of connections) isNow(started, "a connection's begin");
  assert.match(await ask("status"), /running, pid \d+, for \d+ s/);
  const metrics = await ask("metrics");
  const metric = (name: string) => 1000 * Number(new RegExp(`^\\S*${name} (\\S+)$`, "m").exec(metrics)![1]);
  isNow(metric("process_start_time_seconds"), "the process' start");
  isNow(metric("config_last_reload_success_timestamp_seconds"), "the config's time");

  await early.closeInput();
  await early.waitForExit();
  await until(() => proxy.log.includes('"msg":"flow"'), { what: "the line of the access log" });
  const line = JSON.parse(proxy.log.split("\n").find((line) => line.includes('"msg":"flow"'))!);
  isNow(line.time, "the access log");
  assert.ok(line.duration_s < 60, `${line.duration_s} s`);
});

for (const days of [-1, 1]) {
  labTest(`A clock that is set by ${days} day keeps no upstream from being checked`, {
    programs: PROGRAMS,
  }, async (lab) => {
    const clock = await SetClock.make(lab);
    const check = { interval: "500ms", rise: 1, fall: 1 };
    const proxy = await startByClock(lab, clock, {
      rules: [{ name: "all", ports: [7000], action: "proxy", upstream: "office" }],
      upstreams: { office: { type: "socks5", address: OFFICE, check } },
    });
    // It counts as up, and nobody has used it; whoever does finds nobody there.
    const client = await connectClient(lab, 7000);
    await client.waitForExit();
    await proxy.program.waitForOutput("an upstream is down");
    clock.set(days * DAY_SECONDS);
    await startMicrosocks(lab, { port: 1080, asks: false });
    await proxy.program.waitForOutput("an upstream is up");
    // It is used, so it is checked: that it is away is seen without a client that meets it.
    await serve(lab, 7000, "cat");
    const user = await connectClient(lab, 7000);
    await user.write("hello\n");
    await user.waitForOutput("hello\n");
    const before = proxy.log.length;
    const socks = lab.programs.find((program) => `${program}`.includes("microsocks"))!;
    socks.signal("SIGKILL");
    await until(() => proxy.log.slice(before).includes("an upstream is down"), {
      what: "the check that fails",
    });
  });
}

labTest("A machine that has been up for eight years is served as one that has just booted", {
  programs: ["microsocks", "socat", "unshare"],
}, async (lab) => {
  // Beyond 2 ** 31 tenths of a second.
  const up = 8 * 365 * DAY_SECONDS;
  await serve(lab, 7000, "cat");
  await startMicrosocks(lab, { port: 1080, asks: false });
  const proxy = await startProxy(lab, {
    wrapper: ["unshare", "-T", "--fork", "--kill-child", `--monotonic=${up}`, `--boottime=${up}`],
    config: {
      intercept: { protocols: ["tcp", "udp"] },
      rules: [{ name: "all", ports: [7000], protocol: "tcp", action: "proxy", upstream: "office" }],
      upstreams: {
        office: { type: "socks5", address: OFFICE, check: { interval: "500ms", rise: 1, fall: 1 } },
      },
    },
  });
  const client = await connectClient(lab, 7000);
  await client.write("hello\n");
  await client.waitForOutput("hello\n");
  await exchange(openClient(lab, 4, 7001), openServer(lab, 4, 7001));
  const { stdout } = await tproxy(lab, ["connections", "--json", "-c", proxy.configPath]);
  const { connections } = JSON.parse(stdout) as { connections: ConnectionRow[] };
  assert.equal(connections.length, 2);
  for (const { started } of connections) {
    assert.ok(Math.abs(Date.parse(started) - Date.now()) < 60_000, started);
  }
  const socks = lab.programs.find((program) => `${program}`.includes("microsocks"))!;
  socks.signal("SIGKILL");
  await proxy.program.waitForOutput("an upstream is down");
  await startMicrosocks(lab, { port: 1080, asks: false });
  await proxy.program.waitForOutput("an upstream is up");
});
