/** A successor takes listeners, sessions and rules from the proxy that runs, under load. */
import assert from "node:assert/strict";
import type { Lab } from "../../laboratory/lab.ts";
import { print } from "../../laboratory/machine/print.ts";
import { delay } from "../../laboratory/machine/wait.ts";
import { exchange, openClient, openServer, startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { connectClient, serve } from "../../laboratory/network/sockets.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { labTest } from "../../laboratory/register.ts";
import { Crowd } from "../../laboratory/upgrade/crowd.ts";
import { beginSuccessor, succeed } from "../../laboratory/upgrade/successor.ts";

const PROGRAMS = ["cc", "curl", "nginx", "nft"];
/** For the numbers of the README: 4000, 100 ms, 5. */
const [SESSIONS, EVERY_MS, UPGRADES] = (Deno.env.get("TPROXY_UPGRADE_LOAD") ?? "200,200,2").split(",").map(
  Number,
);
/** Of a live transfer. */
const MEGABYTES = 40;

for (const admission of ["forward-path", "early"] as const) {
  labTest(
    `a successor takes over under load, admission: ${admission}`,
    { programs: PROGRAMS },
    async (lab) => {
      const crowd = await Crowd.open(lab);
      const nginx = await startNginx(lab);
      await lab.server.run(["sh", "-c", `head -c ${MEGABYTES}M /dev/urandom > ${lab.directory}/file`]);
      const hash = (await lab.server.run(["sha256sum", `${lab.directory}/file`])).stdout.split(" ")[0];
      let proxy = await startUdpProxy(lab, { intercept: { admission }, timeouts: { drain: "20s" } });
      const udp = await crowd.udp(SESSIONS, EVERY_MS);
      const tcp = await crowd.tcp(5);
      const table = admission === "early" ? undefined : await watchTable(lab);
      for (let round = 0; round < UPGRADES; round++) {
        const script = `curl -sSf --limit-rate 10M ${nginx.url(4, "/files/file")} | sha256sum`;
        const transfer = await lab.client.start(["sh", "-c", script]);
        await delay(300);
        const next = await succeed(lab, proxy);
        assert.equal(await proxy.program.waitForExit({ timeoutMs: 30_000 }), 0, proxy.log);
        assert.equal(await transfer.waitForExit({ timeoutMs: 1000 }), 0, transfer.output);
        assert.equal(transfer.stdout.split(" ")[0], hash, "the transfer ended whole, in the one before");
        print(/handed over.*/.exec(proxy.log)![0]);
        proxy = next;
        await delay(300);
      }
      const counts = { udp: await udp.end(), tcp: await tcp.end() };
      print(JSON.stringify(counts));
      assert.equal(counts.udp.moved, 0, "the server saw other ports");
      assert.equal(counts.udp.doubled, 0);
      assert.ok(
        counts.udp.lost <= counts.udp.sent / 10_000,
        `${counts.udp.lost} of ${counts.udp.sent} are lost`,
      );
      assert.equal(counts.tcp.failed, 0);
      if (table !== undefined) assert.deepEqual(await table.end(), { gone: 0, empty: 0 });
    },
  );
}

/** Looks at the rules of the proxy all the time: how often they are not there, or know no flow. */
async function watchTable(lab: Lab): Promise<{ end(): Promise<{ gone: number; empty: number }> }> {
  const script = "gone=0 empty=0; while read -t 0.02 -r line || [ $? -gt 128 ]; do " +
    "nft list set inet transparent_proxy_live known_ipv4 > $0 2>&1 || gone=$((gone + 1)); " +
    'grep -q elements $0 || empty=$((empty + 1)); done; echo "$gone $empty"';
  const program = await lab.router.start(["bash", "-c", script, `${lab.directory}/table`]);
  return {
    async end() {
      await program.closeInput();
      await program.waitForExit();
      const [gone, empty] = program.stdout.trim().split(" ").map(Number);
      return { gone, empty };
    },
  };
}

labTest("a client whose SYN is held at the moment of the upgrade gets through", {
  programs: ["socat", "nft"],
}, async (lab) => {
  await serve(lab, 7000, "cat");
  const proxy = await startUdpProxy(lab);
  // The server answers the third SYN alone: after three seconds.
  await lab.server.nft(`table inet slow {
    set seen { type inet_service; flags dynamic; size 4096; }
    set again { type inet_service; flags dynamic; size 4096; }
    chain input { type filter hook input priority 0;
      tcp dport 7000 tcp flags & (syn | ack) == syn jump slow
    }
    chain slow {
      tcp sport @again accept
      tcp sport @seen add @again { tcp sport } drop
      add @seen { tcp sport } drop
    }
  }`);
  const clients = [];
  const successor = await beginSuccessor(lab, proxy.configPath);
  for (let i = 0; !/taken over/.test(successor.output); i++) {
    if (i % 10 === 0) clients.push(await connectClient(lab, 7000));
    await delay(20);
  }
  for (const client of clients) {
    await client.write("served\n");
    await client.waitForOutput("served\n", { timeoutMs: 15_000 });
  }
  print(`${clients.length} clients`);
});

labTest("a session that was silent during the upgrade goes on, with both families", {}, async (lab) => {
  const proxy = await startUdpProxy(lab);
  const flows = ([4, 6] as const).map((family) => ({
    client: openClient(lab, family),
    server: openServer(lab, family),
  }));
  const before = [];
  for (const { client, server } of flows) before.push(await exchange(client, server));
  await succeed(lab, proxy);
  assert.equal(await proxy.program.waitForExit(), 0, proxy.log);
  const after = [];
  for (const [i, { client, server }] of flows.entries()) {
    server.send("by the server first", before[i]);
    assert.equal((await client.receive()).text, "by the server first");
    after.push(await exchange(client, server));
  }
  assert.deepEqual(after, before);
});
