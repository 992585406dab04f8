/** TCP through the router: whom the server sees, what arrives, half-closed connections, many at once. */
import assert from "node:assert/strict";
import { startCapture } from "../../laboratory/network/capture.ts";
import { addFarNetwork, FAR } from "../../laboratory/network/far.ts";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { PROXY_PORT, startProxy } from "../../laboratory/proxy/proxy.ts";
import { threadProcessorMs } from "../../laboratory/machine/procfs.ts";
import { labTest } from "../../laboratory/register.ts";
import { connectClient, listSockets, serve, socatServer } from "../../laboratory/network/sockets.ts";
import { until } from "../../laboratory/machine/wait.ts";

const PROGRAMS = ["curl", "nginx", "socat", "ss"];

for (const source of ["client", "client-address", "router"] as const) {
  labTest(`run relays TCP with source: ${source}, both families`, { programs: PROGRAMS }, async (lab) => {
    const nginx = await startNginx(lab, { ports: [80, PROXY_PORT] });
    await startProxy(lab, { config: { source } });
    for (const family of [4, 6] as const) {
      const { client, server, wan } = ADDRESSES[family];
      const url = nginx.url(family);
      const { stdout } = await lab.client.run(["curl", "-sSfm5", "-w", "%{local_port}", url]);
      const port = Number(stdout.replace("hello\n", ""));
      const access = await nginx.waitForAccess(family);
      assert.equal(access.server, server);
      assert.equal(access.serverPort, 80);
      assert.equal(access.client, source === "router" ? wan : client);
      if (source === "client") assert.equal(access.clientPort, port);
    }
  });
}

labTest("run reaches the server's own port 50080", { programs: PROGRAMS }, async (lab) => {
  const nginx = await startNginx(lab, { ports: [PROXY_PORT] });
  await startProxy(lab);
  for (const family of [4, 6] as const) {
    assert.equal(await nginx.get(family), "hello\n");
    assert.equal((await nginx.waitForAccess(family)).serverPort, PROXY_PORT);
  }
});

labTest("run passes the client's half-close on, and the answer back", { programs: PROGRAMS }, async (lab) => {
  await serve(lab, 7000, "sha256sum");
  await startProxy(lab);
  for (const family of [4, 6] as const) {
    const argv = ["socat", "-t10", "-", socatServer(family, 7000)];
    const { stdout } = await lab.client.run(argv, { input: "abc" });
    // FIPS 180-2, appendix B.1.
    assert.equal(
      stdout.split(" ")[0],
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  }
});

labTest(
  "run passes the server's half-close on, and more from the client",
  { programs: PROGRAMS },
  async (lab) => {
    const server = await lab.server.start(["socat", "-t30", "TCP-LISTEN:7000", "-"], { listens: 7000 });
    await startProxy(lab);
    const client = await connectClient(lab, 7000);
    await server.write("first\n");
    await server.closeInput();
    await client.waitForOutput("first\n");
    await client.waitForOutput("is at EOF");
    await client.write("after the server's end\n");
    await client.closeInput();
    assert.equal(await client.waitForExit(), 0);
    assert.equal(await server.waitForExit(), 0);
    assert.equal(server.stdout, "after the server's end\n");
  },
);

for (const [mebibytes, family] of [[1, 4], [1, 6], [100, 4], [100, 6]] as const) {
  labTest(
    `run carries ${mebibytes} MiB intact both ways at once, IPv${family}`,
    { programs: PROGRAMS },
    async (lab) => {
      await serve(lab, 7000, "cat");
      await startProxy(lab);
      await lab.client.run(["sh", "-c", `head -c ${mebibytes}M /dev/urandom >${lab.directory}/sent`]);
      const echo = `socat -t10 - ${
        socatServer(family, 7000)
      } <${lab.directory}/sent >${lab.directory}/received`;
      await lab.client.run(["sh", "-c", echo]);
      await lab.client.run(["cmp", `${lab.directory}/sent`, `${lab.directory}/received`]);
    },
  );
}

for (const source of ["client", "client-address", "router"] as const) {
  labTest(`run finds out what a path takes, source: ${source}`, { programs: PROGRAMS }, async (lab) => {
    // The far host's MSS does not tell of the narrow link: only the hop before it does, by ICMP.
    const far = await addFarNetwork(lab, { farMtu: 1500 });
    await startProxy(lab, { config: { source } });
    await lab.client.run(["sh", "-c", `head -c 300K /dev/urandom >${lab.directory}/sent`]);
    for (const family of [4, 6] as const) {
      const received = `${lab.directory}/received${family}`;
      const listener = `TCP${family}-LISTEN:7000,reuseaddr`;
      const server = await far.start(["socat", "-u", listener, `CREATE:${received}`], { listens: 7000 });
      const to = family === 4 ? FAR[4] : `[${FAR[6]}]`;
      await lab.client.run(["socat", "-u", `OPEN:${lab.directory}/sent`, `TCP${family}:${to}:7000`]);
      await server.waitForExit();
      await lab.client.run(["cmp", `${lab.directory}/sent`, received]);
    }
  });
}

labTest("run lets a client use its port again at once", {
  programs: [...PROGRAMS, "tcpdump"],
}, async (lab) => {
  await serve(lab, 7000, "echo hello");
  await startProxy(lab);
  const resets = await startCapture(lab.client, {
    link: "c0",
    filter: "tcp[tcpflags] & tcp-rst != 0 or (ip6 and ip6[6] = 6 and ip6[53] & 4 != 0)",
  });
  for (const family of [4, 6] as const) {
    for (let round = 0; round < 3; round++) {
      // The server ends the connection first, so the router's side of it stays in TIME_WAIT. A SYN that
      // reached that socket would be answered with an ACK, and that with a reset, before the connection comes
      // about.
      const from = `${socatServer(family, 7000)},sourceport=40000,reuseaddr`;
      const { stdout } = await lab.client.run(["socat", "-u", from, "-"]);
      assert.equal(stdout, "hello\n");
    }
  }
  assert.deepEqual(await resets.stop(), []);
});

labTest("run serves 2,000 connections at once", { programs: [...PROGRAMS, "wrk"] }, async (lab) => {
  const nginx = await startNginx(lab, { accessLog: false });
  await startProxy(lab);
  const wrk = await lab.client.start(["wrk", "-t2", "-c2000", "-d4s", nginx.url(4)]);
  await until(async () => (await listSockets(lab.router, "state established dport = 80")).length >= 2000, {
    what: "2,000 connections to the server",
  });
  assert.equal(await wrk.waitForExit({ timeoutMs: 15_000 }), 0);
  assert.match(wrk.stdout, /\d+ requests in/);
  assert.doesNotMatch(wrk.stdout, /Socket errors|Non-2xx/);
});

labTest("run spreads connections over its workers", { programs: [...PROGRAMS, "wrk"] }, async (lab) => {
  const nginx = await startNginx(lab, { accessLog: false });
  const proxy = await startProxy(lab, { config: { listener: { workers: 2 } } });
  const before = threadProcessorMs(proxy.pid);
  await lab.client.run(["wrk", "-t1", "-c100", "-d2s", nginx.url(4)]);
  const used = [...threadProcessorMs(proxy.pid)]
    .map(([thread, ms]) => ms - (before.get(thread) ?? 0)).sort((a, b) => b - a);
  assert.ok(used[1] > used[0] / 3, `processor time of the threads in ms: ${used.slice(0, 4)}`);
});
