/** The laboratory itself: it connects, it drops new flows, it leaves nothing behind. */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { checkLeaks } from "../../laboratory/machine/leaks.ts";
import { labTest } from "../../laboratory/register.ts";
import { isAlive } from "../../laboratory/machine/procfs.ts";
import { runProgram } from "../../laboratory/program.ts";
import { snapshotKernel } from "../../laboratory/network/snapshot.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { openClient, openServer, startEcho } from "../../laboratory/network/udp_peers.ts";
import { until } from "../../laboratory/machine/wait.ts";

labTest(
  "Lab forwards when asked to, both families",
  { forwarding: true, programs: ["curl", "nginx"] },
  async (lab) => {
    const nginx = await startNginx(lab);
    for (const family of [4, 6] as const) {
      assert.equal(await nginx.get(family), "hello\n");
      assert.equal((await nginx.waitForAccess(family)).client, ADDRESSES[family].client);
    }
  },
);

labTest("Lab drops new flows by default, where they leave", { programs: ["curl", "nginx"] }, async (lab) => {
  const nginx = await startNginx(lab);
  await lab.router.nft(`table inet passed {
    chain forward {
      type filter hook forward priority 1;
      ip protocol tcp counter
      ip6 nexthdr tcp counter
      ip protocol udp counter
      ip6 nexthdr udp counter
    }
  }`);
  const heard = ([4, 6] as const).map((family) => startEcho(openServer(lab, family)));
  for (const family of [4, 6] as const) {
    const curl = await lab.client.run(["curl", "-sm1", nginx.url(family)], { mayFail: true });
    assert.equal(curl.code, 28, "curl must time out");
    const client = openClient(lab, family);
    client.send("lost");
    assert.equal(await client.receiveWithin(300), undefined);
  }
  assert.deepEqual(heard, [[], []]);
  const { stdout } = await lab.router.run(["nft", "list", "table", "inet", "passed"]);
  assert.equal(
    stdout.match(/counter packets [1-9]/g)?.length,
    4,
    `not all passed the forward path:\n${stdout}`,
  );
});

labTest("Lab masquerades when asked to", {
  forwarding: true,
  masquerade: true,
  programs: ["curl", "nginx"],
}, async (lab) => {
  const nginx = await startNginx(lab);
  for (const family of [4, 6] as const) {
    assert.equal(await nginx.get(family), "hello\n");
    assert.equal((await nginx.waitForAccess(family)).client, ADDRESSES[family].wan);
  }
});

labTest("snapshotKernel() shows a rule, a route and a sysctl", {}, async (lab) => {
  const before = await snapshotKernel(lab.router);
  assert.equal(await snapshotKernel(lab.router), before);
  for (
    const change of [
      "nft add table inet x",
      "ip -6 rule add fwmark 1 table 9",
      "ip route add 9.9.9.9 dev lo table 9",
      "sysctl -qw net.ipv4.conf.r0.rp_filter=2",
    ]
  ) {
    const previous = await snapshotKernel(lab.router);
    await lab.router.run(change.split(" "));
    assert.notEqual(await snapshotKernel(lab.router), previous, change);
  }
});

labTest("Lab cleans up when its process is killed", {}, async () => {
  const support = new URL("../../laboratory/lab.ts", import.meta.url).href;
  const code = `
    const { openLab } = await import(${JSON.stringify(support)});
    const lab = await openLab();
    const sleeper = await lab.client.start(["sleep", "1000"]);
    console.log(JSON.stringify({ pid: sleeper.pid, namespace: lab.client.name, directory: lab.directory }));
    Deno.kill(Deno.pid, "SIGKILL");`;
  const { stdout } = await runProgram([Deno.execPath(), "eval", code], { mayFail: true });
  const { pid, namespace, directory } = JSON.parse(stdout);
  await until(() => !isAlive(pid), { what: "end of the program" });
  await until(async () => !(await runProgram(["ip", "netns"])).stdout.includes(namespace), {
    what: "end of the namespace",
  });
  const name = directory.slice("/tmp/".length);
  await until(() => [...Deno.readDirSync("/tmp")].every((entry) => entry.name !== name), {
    what: "end of the directory",
  });
});

Deno.test("checkLeaks() throws when code keeps a descriptor open", async () => {
  let file: Deno.FsFile | undefined;
  await assert.rejects(
    () => checkLeaks(async () => void (file = await Deno.open("/dev/null"))),
    /\/dev\/null/,
  );
  file?.close();
});
