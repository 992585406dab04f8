/**
 * The way of packets: NAT, hostile sysctls, flows that were there before, the proxy's own address, a dead
 * proxy.
 */
import assert from "node:assert/strict";
import { startCapture } from "../../laboratory/network/capture.ts";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { firstPacketsAsk, PROXY_PORT, startProxy, tproxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { snapshotKernel } from "../../laboratory/network/snapshot.ts";
import { connectClient, serve } from "../../laboratory/network/sockets.ts";
import { delay } from "../../laboratory/machine/wait.ts";

const PROGRAMS = ["curl", "nginx", "socat", "tcpdump", "conntrack"];

for (const source of ["client", "client-address", "router"] as const) {
  for (const tailscaleSysctls of [false, true]) {
    const sysctls = tailscaleSysctls ? ", src_valid_mark=1, rp_filter=1" : "";
    labTest(`run leaks no private address behind masquerade, source: ${source}${sysctls}`, {
      programs: PROGRAMS,
      masquerade: true,
      tailscaleSysctls,
    }, async (lab) => {
      const nginx = await startNginx(lab);
      await startProxy(lab, { config: { source } });
      const leaks = await startCapture(lab.server, {
        link: "s0",
        filter: `host ${ADDRESSES[4].client} or host ${ADDRESSES[6].client}`,
      });
      for (const family of [4, 6] as const) {
        assert.equal(await nginx.get(family), "hello\n");
        assert.equal((await nginx.waitForAccess(family)).client, ADDRESSES[family].wan);
      }
      assert.deepEqual(await leaks.stop(), []);
    });
  }
}

labTest("run keeps the client's port behind masquerade, and conntrack knows one flow", {
  programs: PROGRAMS,
  masquerade: true,
}, async (lab) => {
  const nginx = await startNginx(lab);
  await startProxy(lab);
  const { stdout } = await lab.client.run(["curl", "-sSfm5", "-w", "%{local_port}", nginx.url(4)]);
  const port = Number(stdout.replace("hello\n", ""));
  assert.equal((await nginx.waitForAccess(4)).clientPort, port);
  const listed = (await lab.router.run(["conntrack", "-L", "-p", "tcp"])).stdout.trim().split("\n");
  // The client's leg stands in a zone of its own.
  const flows = listed.filter((line) => !line.includes(" zone="));
  assert.equal(flows.length, 1);
  // The proxy dials from where masquerade has put the client, or as the client, and masquerade does that.
  const from = firstPacketsAsk() ? ADDRESSES[4].wan : ADDRESSES[4].client;
  assert.match(
    flows[0],
    new RegExp(` src=${from} .* sport=${port} .* dst=${ADDRESSES[4].wan} .*dport=${port} `),
  );
});

labTest("run works with src_valid_mark=1 and rp_filter=1", {
  programs: PROGRAMS,
  tailscaleSysctls: true,
}, async (lab) => {
  const nginx = await startNginx(lab);
  await startProxy(lab);
  for (let i = 0; i < 10; i++) {
    for (const family of [4, 6] as const) {
      assert.equal(await nginx.get(family), "hello\n");
      assert.equal((await nginx.waitForAccess(family)).client, ADDRESSES[family].client);
    }
  }
});

labTest("install leaves established flows alone", { programs: PROGRAMS, forwarding: true }, async (lab) => {
  await serve(lab, 7000, "cat");
  const nginx = await startNginx(lab);
  const flows = [
    await connectClient(lab, 7000, { family: 4 }),
    await connectClient(lab, 7000, { family: 6 }),
  ];
  for (const flow of flows) {
    await flow.write("before\n");
    await flow.waitForOutput("before\n");
  }
  await startProxy(lab, { config: { source: "router" } });
  for (const flow of flows) {
    await flow.write("after\n");
    await flow.waitForOutput("after\n");
  }
  // New flows pass the proxy: the server sees the router.
  assert.equal(await nginx.get(4), "hello\n");
  assert.equal((await nginx.waitForAccess(4)).client, ADDRESSES[4].wan);
});

labTest("run refuses connections to its own listener", { programs: PROGRAMS }, async (lab) => {
  const proxy = await startProxy(lab);
  // So that the client can address the router's loopback.
  await lab.router.writeSysctl({
    "net.ipv4.conf.all.route_localnet": 1,
    "net.ipv4.conf.r0.route_localnet": 1,
  });
  await lab.client.writeSysctl({
    "net.ipv4.conf.all.route_localnet": 1,
    "net.ipv4.conf.c0.route_localnet": 1,
  });
  await lab.client.ip(`
    addr del 127.0.0.1/8 dev lo
    route add 127.0.0.1/32 via ${ADDRESSES[4].lan}`);
  const before = proxy.descriptorCount();
  const from = [[lab.client, "127.0.0.1"], [lab.client, ADDRESSES[4].lan], [
    lab.client,
    `[${ADDRESSES[6].lan}]`,
  ]] as const;
  const own = [[lab.router, "127.0.0.1"], [lab.router, "[::1]"]] as const;
  for (const [namespace, host] of [...from, ...own]) {
    const argv = ["curl", "-sSm3", `http://${host}:${PROXY_PORT}/`];
    const { stderr } = await namespace.run(argv, { mayFail: true });
    assert.match(stderr, /reset by peer|refused|Failed to connect/i, `${namespace.name} to ${host}`);
  }
  await delay(200);
  assert.ok(proxy.descriptorCount() <= before, "descriptors stay open");
  assert.ok(proxy.program.running);
});

for (
  const [onFailure, exitCode] of [["open", 0], ["reset", 7], ["drop", 28]] as const
) {
  labTest(`install with on-failure: ${onFailure} decides what happens when the proxy is killed`, {
    programs: PROGRAMS,
    forwarding: true,
  }, async (lab) => {
    const nginx = await startNginx(lab);
    const proxy = await startProxy(lab, {
      config: { source: "router", intercept: { "on-failure": onFailure } },
    });
    for (const family of [4, 6] as const) {
      assert.equal(await nginx.get(family), "hello\n");
      assert.equal((await nginx.waitForAccess(family)).client, ADDRESSES[family].wan);
    }
    await proxy.program.stop("SIGKILL");
    for (const family of [4, 6] as const) {
      const { code } = await lab.client.run(["curl", "-sSm1", nginx.url(family)], { mayFail: true });
      assert.equal(code, exitCode, `IPv${family}`);
      if (onFailure === "open") {
        assert.equal((await nginx.waitForAccess(family)).client, ADDRESSES[family].client);
      }
    }
  });
}

labTest("uninstall restores the kernel after the proxy was killed", { programs: PROGRAMS }, async (lab) => {
  const before = await snapshotKernel(lab.router);
  const nginx = await startNginx(lab);
  const proxy = await startProxy(lab);
  assert.equal(await nginx.get(4), "hello\n");
  await proxy.program.stop("SIGKILL");
  assert.notEqual(await snapshotKernel(lab.router), before);
  await tproxy(lab, ["uninstall"]);
  assert.equal(await snapshotKernel(lab.router), before);
});
