/**
 * Rules that the kernel decides, seen by real programs: who is refused, who is forwarded, what the proxy
 * never sees.
 */
import assert from "node:assert/strict";
import { usesIptables } from "../../laboratory/proxy/backend.ts";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { startProxy, tproxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { serve, socatServer } from "../../laboratory/network/sockets.ts";
import { exchange } from "../../laboratory/network/udp_peers.ts";
import { at } from "../../laboratory/network/udp_socket.ts";
import { delay } from "../../laboratory/machine/wait.ts";

const PROGRAMS = ["curl", "nginx", "socat"];
const SERVERS = [`${ADDRESSES[4].server}/32`, `${ADDRESSES[6].server}/128`];

/** curl's exit codes. */
const REFUSED = 7;
const TIMED_OUT = 28;

function fetchCode(lab: Lab, family: 4 | 6, port: number): Promise<number> {
  const host = family === 4 ? ADDRESSES[4].server : `[${ADDRESSES[6].server}]`;
  return lab.client.run(["curl", "-sSm1", `http://${host}:${port}/`], { mayFail: true })
    .then(({ code }) => code);
}

/**
 * Sends two datagrams with socat and returns its words: the sender of the second learns the ICMP error of the
 * first.
 */
async function sendDatagrams(lab: Lab, family: 4 | 6, port: number): Promise<string> {
  const server = socatServer(family, port).replace("TCP", "UDP");
  const command = `(echo 1; sleep 0.2; echo 2) | socat -t0.5 - ${server}`;
  return (await lab.client.run(["sh", "-c", command], { mayFail: true })).stderr;
}

labTest("install's rules bypass, block and direct, each as told, with the proxy in the path", {
  forwarding: true,
  programs: PROGRAMS,
}, async (lab) => {
  const nginx = await startNginx(lab, { ports: [80, 81, 82, 83] });
  await startProxy(lab, {
    config: {
      source: "router",
      intercept: { protocols: ["tcp", "udp"] },
      rules: [
        { ports: [81], to: SERVERS, action: "bypass" },
        { ports: [82], from: [`${ADDRESSES[4].client}/32`, "fd77:1::/64"], action: "block" },
        { ports: [83], in: ["r0"], action: "block", silent: true },
        { ports: [80], action: "direct" },
      ],
      default: "block",
    },
  });
  for (const family of [4, 6] as const) {
    assert.equal(await fetchCode(lab, family, 80), 0);
    assert.equal((await nginx.waitForAccess(family)).client, ADDRESSES[family].wan, "direct");
    assert.equal(await fetchCode(lab, family, 81), 0);
    assert.equal((await nginx.waitForAccess(family)).client, ADDRESSES[family].client, "bypass");
    assert.equal(await fetchCode(lab, family, 82), REFUSED);
    assert.equal(await fetchCode(lab, family, 83), TIMED_OUT);
    assert.equal(await fetchCode(lab, family, 84), REFUSED, "default");
    assert.match(await sendDatagrams(lab, family, 82), /Connection refused/);
    assert.doesNotMatch(await sendDatagrams(lab, family, 83), /refused/);
  }
});

labTest(
  "install's rules cut no connection that exists",
  { forwarding: true, programs: PROGRAMS },
  async (lab) => {
    await serve(lab, 7000, "cat");
    const flow = await lab.client.start(["socat", "-t30", "-", socatServer(4, 7000)]);
    await flow.write("before\n");
    await flow.waitForOutput("before\n");
    await tproxy(lab, ["install", "-c", writeConfig(lab, { default: "block" })]);
    await flow.write("after\n");
    await flow.waitForOutput("after\n");
    assert.match(
      (await lab.client.run(["socat", "-u", socatServer(4, 7000), "-"], { mayFail: true })).stderr,
      /refused/,
    );
  },
);

labTest("what the rules bypass, block or deliver never wakes the proxy", {
  forwarding: true,
  programs: PROGRAMS,
}, async (lab) => {
  await startNginx(lab, { ports: [81, 82, 83, 80] });
  const listener = "TCP6-LISTEN:3129,ipv6only=0,ip-transparent,fork,reuseaddr";
  await lab.router.start(["socat", listener, "SYSTEM:echo delivered"], { listens: 3129 });
  const proxy = await startProxy(lab, {
    config: {
      intercept: { protocols: ["tcp", "udp"], ...usesIptables() ? { "on-failure": "drop" } : {} },
      rules: [
        { ports: [81], action: "bypass" },
        { ports: [82], action: "block" },
        { ports: [83], action: "deliver", "deliver-port": 3129 },
      ],
    },
  });
  await delay(500);
  const idle = wakes(proxy.pid);
  for (let round = 0; round < 5; round++) {
    for (const family of [4, 6] as const) {
      assert.equal(await fetchCode(lab, family, 81), 0);
      assert.equal(await fetchCode(lab, family, 82), REFUSED);
      const { stdout } = await lab.client.run(["socat", "-u", socatServer(family, 83), "-"]);
      assert.equal(stdout, "delivered\n");
      for (const port of [81, 82]) await sendDatagrams(lab, family, port);
    }
  }
  const afterwards = wakes(proxy.pid);
  assert.equal(await fetchCode(lab, 4, 80), 0, "the proxy is in the path of all else");
  await delay(100);
  const woken = wakes(proxy.pid);
  assert.deepEqual(afterwards, idle, "its workers have slept");
  assert.notDeepEqual(woken, afterwards, "a worker's waking is seen");
  proxy.program.signal("SIGTERM");
  await proxy.program.waitForExit({ timeoutMs: 60_000 });
  assert.match(proxy.log, /stopped.*accepted=1 /);
});

/** Counts by thread the times that each worker thread has gone to sleep so far. */
function wakes(pid: number): Record<string, number> {
  const threads = [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => name);
  const workers = threads.filter((thread) =>
    /worker/.test(Deno.readTextFileSync(`/proc/${pid}/task/${thread}/comm`))
  );
  return Object.fromEntries(workers.map((thread) => {
    const status = Deno.readTextFileSync(`/proc/${pid}/task/${thread}/status`);
    return [thread, Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)![1])];
  }));
}

labTest("no rule touches the router's own services, TCP and UDP", { programs: PROGRAMS }, async (lab) => {
  const { router, client } = lab;
  await router.start(["socat", "TCP6-LISTEN:22,ipv6only=0,fork,reuseaddr", "SYSTEM:echo router"], {
    listens: 22,
  });
  // Transparent listeners everywhere: whatever is steered would find one.
  for (const port of [3129, 50080]) {
    const listener = `TCP6-LISTEN:${port},ipv6only=0,ip-transparent,fork,reuseaddr`;
    await router.start(["socat", listener, "SYSTEM:echo wrong"], { listens: port });
    await router.start(
      ["socat", `UDP6-RECVFROM:${port},ipv6only=0,ip-transparent,fork`, "SYSTEM:echo wrong"],
      {
        udpPort: port,
      },
    );
  }
  const actions = [
    { action: "bypass" },
    { action: "direct" },
    { action: "block" },
    { action: "block", silent: true },
    { action: "deliver", "deliver-port": 3129 },
  ];
  for (const action of actions) {
    for (const rules of [[action], [{ ports: [22, 53], ...action }]]) {
      const config = {
        intercept: { protocols: ["tcp", "udp"], "on-failure": "drop" },
        default: "block",
        rules,
      };
      await tproxy(lab, ["install", "-c", writeConfig(lab, config)]);
      for (const address of [ADDRESSES[4].lan, ADDRESSES[4].wan, `[${ADDRESSES[6].lan}]`]) {
        const family = address.startsWith("[") ? 6 : 4;
        const tcp = await client.run(["socat", "-u", `TCP${family}:${address}:22,connect-timeout=2`, "-"], {
          mayFail: true,
        });
        assert.equal(tcp.stdout, "router\n", `TCP to ${address} with ${JSON.stringify(rules)}`);
        const server = router.udp({ family, bind: at(address.replace(/[[\]]/g, ""), 53) });
        const asking = client.udp({ family, connect: server.local });
        await exchange(asking, server);
        for (const socket of [asking, server]) socket.close();
      }
    }
  }
});
