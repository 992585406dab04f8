/** `tproxy upgrade`: what it starts, what it says, what it refuses. */
import assert from "node:assert/strict";
import { isAlive } from "../../laboratory/machine/procfs.ts";
import { startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { controlPath, tproxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { Crowd } from "../../laboratory/upgrade/crowd.ts";
import { askControl } from "../../../src/daemon/control/client.ts";
import type { Lab } from "../../laboratory/lab.ts";
import { until } from "../../laboratory/machine/wait.ts";

const ONLY_NETLINK = { netlinkOnly: "with kernel.backend iptables nothing is handed over" };

async function pidOf(lab: Lab): Promise<number> {
  const reply = await askControl(controlPath(lab), { method: "GET", target: "/v1/status" });
  return JSON.parse(reply!.text).pid;
}

/** Ends what upgrade has started: it is nobody's child. */
async function end(pid: number): Promise<void> {
  Deno.kill(pid, "SIGTERM");
  await until(() => !isAlive(pid), { what: `end of ${pid}` });
}

labTest(
  "upgrade has another process take over, again and again",
  { programs: ["cc"], ...ONLY_NETLINK },
  async (lab) => {
    const crowd = await Crowd.open(lab);
    const proxy = await startUdpProxy(lab);
    const udp = await crowd.udp(50, 100);
    const tcp = await crowd.tcp(10);
    let pid = proxy.pid;
    for (let round = 0; round < 2; round++) {
      const { stdout, stderr } = await tproxy(lab, ["upgrade", "-c", proxy.configPath], {
        timeoutMs: 60_000,
      });
      assert.match(stdout, new RegExp(`takes over from the proxy with pid ${pid}\n`), stderr);
      const next = await pidOf(lab);
      assert.match(stdout, new RegExp(`pid ${next} runs, with 5\\d UDP sessions\n`));
      assert.match(stdout, new RegExp(`\npid ${pid} has given it \\d+ connections, and has ended\n`));
      await until(() => !isAlive(pid), { what: `end of ${pid}`, timeoutMs: 20_000 });
      pid = next;
    }
    const counts = { udp: await udp.end(), tcp: await tcp.end() };
    assert.equal(counts.udp.moved, 0);
    assert.equal(counts.tcp.failed, 0);
    assert.ok(counts.udp.lost <= counts.udp.sent / 10_000, JSON.stringify(counts));
    await proxy.program.waitForOutput("taken over"); // where the first one has written
    await end(pid);
  },
);

labTest("upgrade refuses what is no tproxy, and the proxy goes on", ONLY_NETLINK, async (lab) => {
  const proxy = await startUdpProxy(lab);
  const machine = Deno.build.arch === "x86_64" ? 183 : 62;
  const elf = new Uint8Array(64);
  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  elf[18] = machine;
  const script = (name: string, text: string): string => {
    const path = lab.writeFile(name, `#!/bin/sh\n${text}\n`);
    Deno.chmodSync(path, 0o755);
    return path;
  };
  const json = (told: object) => `[ "$1" = version ] && echo '${JSON.stringify(told)}' && exit; `;
  for (
    const [file, reason] of [
      [`${lab.directory}/missing`, /No such file/],
      [lab.writeFile("other", elf), /it is for (aarch64|x86_64), and this machine is/],
      [lab.writeFile("text", "no program"), /it is no tproxy/],
      [script("echo", "echo hello"), /it is no tproxy: "version --json" says "hello"/],
      [script("old", json({ version: "0.0.9" })), /0\.0\.9 knows none: restart instead/],
      [script("new", json({ version: "9.9.9", handover: 99 })), /9\.9\.9 speaks version 99 of it/],
      [
        script("broken", `${json({ version: "1.0.0", handover: 1 })} echo it breaks >&2; exit 5`),
        /it breaks\n(.*\n)*.*broken has not taken over: the proxy with pid \d+ goes on/,
      ],
    ] as const
  ) {
    const { code, stderr } = await tproxy(lab, ["upgrade", "-c", proxy.configPath, file], { mayFail: true });
    assert.equal(code, 1, stderr);
    assert.match(stderr, reason);
  }
  assert.equal(await pidOf(lab), proxy.pid);
});

labTest("upgrade says that no proxy runs, and that a config is wrong", ONLY_NETLINK, async (lab) => {
  assert.equal((await tproxy(lab, ["upgrade", "-c", writeConfig(lab)], { mayFail: true })).code, 3);
  const proxy = await startUdpProxy(lab);
  Deno.writeTextFileSync(
    proxy.configPath,
    Deno.readTextFileSync(proxy.configPath).replace('"version": 1', '"version": 7'),
  );
  const { code, stderr } = await tproxy(lab, ["upgrade", "-c", proxy.configPath], { mayFail: true });
  assert.equal(code, 1);
  assert.match(stderr, /tproxy\.yaml:\d+:\d+: .*7[^]*has not taken over/);
  assert.ok(proxy.program.running);
});
