/** The sysctl that a proxy sets is as it was before, whatever has become of proxies meanwhile. */
import assert from "node:assert/strict";
import { RUN_DIRECTORY } from "../../../src/constants.ts";
import type { Lab } from "../../laboratory/lab.ts";
import { type Proxy, startProxy, tproxy } from "../../laboratory/proxy/proxy.ts";
import { endProxy } from "../../laboratory/proxy/router_proxy.ts";
import { labTest } from "../../laboratory/register.ts";

const SYSCTL = "net.ipv4.tcp_early_demux";
const OPTIONS = { netlinkOnly: "the backend iptables takes flows early" };

const start = (lab: Lab, admission = "forward-path") =>
  startProxy(lab, { config: { intercept: { admission } } });
const read = (lab: Lab) => lab.router.readSysctl(SYSCTL);
const kill = (proxy: Proxy) => proxy.program.stop("SIGKILL");

labTest(`${SYSCTL} is as it was before: a proxy is killed, the next one ends`, OPTIONS, async (lab) => {
  await kill(await start(lab));
  const next = await start(lab);
  await tproxy(lab, ["uninstall"]);
  assert.equal(await read(lab), "0", "a proxy runs");
  await endProxy(next);
  assert.equal(await read(lab), "1");
});

labTest(`${SYSCTL} is as it was before: proxies are killed, uninstall`, OPTIONS, async (lab) => {
  await kill(await start(lab));
  await kill(await start(lab));
  assert.equal(await read(lab), "0");
  const { stdout } = await tproxy(lab, ["uninstall"]);
  assert.equal(await read(lab), "1");
  assert.match(stdout, /what a proxy that was killed has left: net\.ipv4\.tcp_early_demux=1 again/);
  assert.equal((await tproxy(lab, ["uninstall"])).stdout, "Nothing is installed.\n");
});

labTest(
  `${SYSCTL} is as it was before: a proxy is killed, the next one takes flows early`,
  OPTIONS,
  async (lab) => {
    await kill(await start(lab));
    const early = await start(lab, "early");
    assert.equal(await read(lab), "1");
    await endProxy(early);
  },
);

labTest(`${SYSCTL} is as it was before: what was written down is gone`, OPTIONS, async (lab) => {
  const proxy = await start(lab);
  assert.equal(await read(lab), "0");
  const own = [...Deno.readDirSync(RUN_DIRECTORY)].filter(({ name }) =>
    name.startsWith("early-demux-") && name.endsWith(`-${proxy.pid}`)
  );
  assert.equal(own.length, 1);
  Deno.removeSync(`${RUN_DIRECTORY}/${own[0].name}`);
  await endProxy(proxy);
  assert.equal(await read(lab), "1");
});

labTest("notes of earlier boots go, those of other namespaces stay", OPTIONS, async (lab) => {
  const write = (name: string, note: object | string) => {
    const text = typeof note === "string" ? note : JSON.stringify(note);
    Deno.writeTextFileSync(`${RUN_DIRECTORY}/${name}`, text);
    return name;
  };
  const boot = Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
  const dead = { pid: 1, started: "no", before: "1" };
  Deno.mkdirSync(RUN_DIRECTORY, { recursive: true });
  const earlier = write("early-demux-1-1", { ...dead, boot: crypto.randomUUID() });
  const stay = [
    write("early-demux-2-1", { ...dead, boot }),
    write("early-demux-3-1", { ...dead, boot: "" }),
    write("early-demux-4-1", "no JSON"),
    write("early-demux-5-1.new", { ...dead, boot: crypto.randomUUID() }),
  ];
  try {
    await endProxy(await start(lab));
    const names = [...Deno.readDirSync(RUN_DIRECTORY)].map(({ name }) => name);
    assert.deepEqual([earlier, ...stay].filter((name) => names.includes(name)), stay);
  } finally {
    for (const name of stay) Deno.removeSync(`${RUN_DIRECTORY}/${name}`);
  }
});

labTest(`${SYSCTL} stays as an administrator has set it`, OPTIONS, async (lab) => {
  await lab.router.run(["sysctl", "-qw", `${SYSCTL}=0`]);
  await endProxy(await start(lab));
  assert.equal(await read(lab), "0");
  await kill(await start(lab));
  assert.equal((await tproxy(lab, ["uninstall"])).stdout.includes(SYSCTL), false);
  assert.equal(await read(lab), "0");
});
