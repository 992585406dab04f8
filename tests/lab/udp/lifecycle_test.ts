/** UDP while the proxy starts, ends or dies, interfaces go and come back, and workers share the work. */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { listDescriptors } from "../../laboratory/machine/procfs.ts";
import { type Proxy, PROXY_PORT } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import {
  exchange,
  fateOf,
  openClient,
  openServer,
  socketCount,
  startUdpProxy,
  waitForBound,
} from "../../laboratory/network/udp_peers.ts";
import { at, type UdpSocket } from "../../laboratory/network/udp_socket.ts";
import { delay } from "../../laboratory/machine/wait.ts";

const FAMILIES = [4, 6] as const;

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  labTest(`run with UDP sessions ends at ${signal}, exit 0, and their flows are forwarded`, {
    forwarding: true,
  }, async (lab) => {
    const proxy = await startUdpProxy(lab, { source: "router" });
    const flows = FAMILIES.map((family) => ({
      client: openClient(lab, family),
      server: openServer(lab, family),
      family,
    }));
    for (const { client, server, family } of flows) {
      assert.ok((await exchange(client, server)).includes(ADDRESSES[family].wan));
    }
    proxy.program.signal(signal);
    assert.equal(await proxy.program.waitForExit({ timeoutMs: 3_000 }), 0, proxy.log);
    for (const { client, server } of flows) assert.equal(await exchange(client, server), client.local);
  });
}

labTest(
  "run that is to end passes on answers that are on their way, but waits for no chatty server",
  {},
  async (lab) => {
    // With the client's own address the router would forward the answers without us.
    const proxy = await startUdpProxy(lab, { source: "router" });
    const flows = FAMILIES.map((family) => ({
      client: openClient(lab, family),
      server: openServer(lab, family),
    }));
    for (const { client } of flows) client.send("question");
    const questions = await Promise.all(flows.map(({ server }) => server.receive()));
    proxy.program.signal("SIGTERM");
    await delay(100);
    flows.forEach(({ server }, i) => server.send("answer", questions[i].from));
    for (const { client } of flows) assert.equal((await client.receive()).text, "answer");
    const end = performance.now() + 4_000;
    while (proxy.program.running && performance.now() < end) {
      flows.forEach(({ server }, i) => server.send("more", questions[i].from));
      await delay(20);
    }
    assert.ok(!proxy.program.running, "it waits for the end of what does not end");
    assert.equal(await proxy.program.waitForExit(), 0, proxy.log);
  },
);

labTest("run takes over UDP flows that were forwarded, and leaves them to be forwarded again", {
  forwarding: true,
  programs: ["ss"],
}, async (lab) => {
  const flows = FAMILIES.map((family) => ({
    client: openClient(lab, family),
    server: openServer(lab, family),
  }));
  for (const { client, server } of flows) assert.equal(await exchange(client, server), client.local);
  const proxy = await startUdpProxy(lab);
  for (const { client, server } of flows) {
    for (let i = 0; i < 3; i++) assert.equal(await exchange(client, server), client.local);
    await waitForBound(lab, client.local, true);
  }
  proxy.program.signal("SIGTERM");
  assert.equal(await proxy.program.waitForExit({ timeoutMs: 3_000 }), 0, proxy.log);
  for (const { client, server } of flows) assert.equal(await exchange(client, server), client.local);
});

for (const onFailure of ["open", "reset", "drop"] as const) {
  labTest(`install with on-failure: ${onFailure} decides about UDP when the proxy is killed`, {
    forwarding: true,
  }, async (lab) => {
    const proxy = await startUdpProxy(lab, { source: "router", intercept: { "on-failure": onFailure } });
    for (const family of FAMILIES) {
      const seen = await exchange(openClient(lab, family), openServer(lab, family));
      assert.ok(seen.includes(ADDRESSES[family].wan), seen);
    }
    await proxy.program.stop("SIGKILL");
    for (const family of FAMILIES) {
      const server = openServer(lab, family, 7001);
      const client = openClient(lab, family, 7001);
      assert.equal(
        await fateOf(client, server),
        { open: "forwarded", reset: "ECONNREFUSED", drop: "lost" }[onFailure],
      );
    }
  });
}

labTest("run's workers share UDP, and an endpoint stays with its worker", {}, async (lab) => {
  const proxy = await startUdpProxy(lab, { listener: { workers: 2 } });
  const before = watchedByEpoll(proxy);
  const server = openServer(lab, 4);
  const clients = Array.from({ length: 64 }, () => openClient(lab, 4));
  for (const client of clients) assert.equal(await exchange(client, server), client.local);
  // A session's socket is in the epoll set of its worker.
  const shares = watchedByEpoll(proxy).map((count, i) => count - before[i]).filter((count) => count > 0);
  assert.equal(shares.length, 2, shares.join(" "));
  assert.equal(shares[0] + shares[1], 64);
  assert.ok(Math.min(...shares) >= 10, `shares: ${shares.join(" ")}`);
  const sockets = socketCount(proxy);
  const roaming = lab.client.udp({ family: 4 });
  for (let port = 8000; port < 8032; port++) {
    await exchange(roaming, openServer(lab, 4, port), at(ADDRESSES[4].server, port));
  }
  assert.equal(socketCount(proxy), sockets + 1);
});

for (const [link, side] of [["r0", "lan"], ["r1", "wan"]] as const) {
  labTest(`run serves UDP sessions again after ${link} was down`, {}, async (lab) => {
    const proxy = await startUdpProxy(lab);
    const flows = FAMILIES.map((family) => ({
      client: openClient(lab, family),
      server: openServer(lab, family),
      family,
    }));
    for (const { client, server } of flows) await exchange(client, server);
    await lab.router.ip(`link set ${link} down`);
    for (const { client, server } of flows) {
      assert.notEqual(await fateOf(client, server), "forwarded");
      // Failures meanwhile use nothing up.
      for (let i = 0; i < 20; i++) await fateOf(client, server, 1);
    }
    await lab.router.ip(`link set ${link} up
      addr replace ${ADDRESSES[6][side]}/64 dev ${link} nodad`);
    for (const { client, server } of flows) {
      await recover(client, server);
      assert.equal(await exchange(client, server), client.local);
    }
    assert.ok(proxy.program.running);
    assert.ok(proxy.log.split("\n").length < 20, proxy.log);
  });
}

labTest("run keeps UDP that is sent to its own listener away from everybody", {}, async (lab) => {
  const proxy = await startUdpProxy(lab);
  for (const family of FAMILIES) {
    const { lan } = ADDRESSES[family];
    // Loopback is refused or lost; the LAN address has no listener: nobody answers, nothing loops.
    const own = lab.router.udp({ family, connect: at(family === 4 ? "127.0.0.1" : "::1", PROXY_PORT) });
    const client = lab.client.udp({ family, connect: at(lan, PROXY_PORT) });
    for (const socket of [own, client]) {
      assert.notEqual(await fateOf(socket, socket), "forwarded");
    }
    await exchange(openClient(lab, family), openServer(lab, family));
  }
  const before = proxy.processorMs();
  await delay(500);
  assert.ok(proxy.processorMs() - before <= 100, "a datagram goes round in circles");
});

/** Sends until the path is there again, and takes what was sent for that. */
async function recover(client: UdpSocket, server: UdpSocket): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    if (await fateOf(client, server) === "forwarded") break;
  }
  await server.receiveAll(200);
  while (await fateOf(client, client, 1) !== "lost");
  await server.receiveAll(200);
}

/** Counts the descriptors that each epoll set of the proxy watches. */
function watchedByEpoll(proxy: Proxy): number[] {
  return listDescriptors(proxy.pid).filter((descriptor) => descriptor.includes("eventpoll")).map(
    (descriptor) => {
      const info = Deno.readTextFileSync(`/proc/${proxy.pid}/fdinfo/${descriptor.split(" ")[0]}`);
      return info.match(/^tfd:/gm)?.length ?? 0;
    },
  );
}
