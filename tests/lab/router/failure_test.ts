/** `intercept.router-traffic` where no proxy runs: not yet, not any more, killed. */
import assert from "node:assert/strict";
import { OperationError } from "../../../src/net/error.ts";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { startProxy, tproxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import {
  curl,
  endProxy,
  openOwn,
  routerConfig,
  startRouterProxy,
} from "../../laboratory/proxy/router_proxy.ts";
import { snapshotKernel } from "../../laboratory/network/snapshot.ts";
import { serve, socatServer, waitForSockets } from "../../laboratory/network/sockets.ts";
import { exchange, openServer } from "../../laboratory/network/udp_peers.ts";
import { type UdpSocket } from "../../laboratory/network/udp_socket.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";

const PROGRAMS = ["curl", "nginx", "socat"];
/** Answers to curl and to a sender of UDP: EPERM comes from a firewall of this machine. */
const OUTCOMES = [
  ["open", 0, undefined],
  ["reset", 7, "ECONNREFUSED|EPERM"],
  ["drop", 28, "EPERM"],
] as const;

/** Asks once and waits for the answer; gives the error's name, or "answered" or "lost". */
async function ask(own: UdpSocket, server: UdpSocket): Promise<string> {
  try {
    own.send("question");
    const question = await server.receiveWithin(300);
    if (question === undefined) return "lost";
    server.send("answer", question.from);
    return (await own.receiveWithin(300)) === undefined ? "lost" : "answered";
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return error.code;
  }
}

for (const [onFailure, exitCode, told] of OUTCOMES) {
  const config = { intercept: { "on-failure": onFailure } };

  labTest(
    `install with on-failure: ${onFailure} decides on the router's own before the proxy runs, and after it was killed`,
    {
      programs: PROGRAMS,
    },
    async (lab) => {
      const nginx = await startNginx(lab);
      await serve(lab, 7000, "cat");
      await lab.router.start(["socat", "TCP6-LISTEN:22,ipv6only=0,fork,reuseaddr", "EXEC:cat"], {
        listens: 22,
      });
      await tproxy(lab, ["install", "-c", writeConfig(lab, routerConfig(config))]);
      const session = await lab.server.start(["socat", "-t30", "-", `TCP4:${ADDRESSES[4].wan}:22`]);
      await assertDecided();
      const proxy = await startRouterProxy(lab, config);
      const long = ([4, 6] as const).map((family) =>
        [openOwn(lab, family, 7001), openServer(lab, family, 7001)] as const
      );
      for (const [own, server] of long) assert.notEqual(await exchange(own, server), own.local);
      for (const family of [4, 6] as const) assert.equal(await curl(lab.router, nginx.url(family)), 0);
      const live = await lab.router.start(["socat", "-t30", "-", socatServer(4, 7000)]);
      await live.write("line\n");
      await live.waitForOutput("line\n");
      await proxy.program.stop("SIGKILL");
      // For two seconds the proxy is believed alive.
      await delay(2_200);
      await assertDecided();
      for (const [own, server] of long) {
        // The error of a datagram of those two seconds may still wait.
        own.poll();
        await assertUdp(own, server);
      }
      await session.write("ssh goes on\n");
      await session.waitForOutput("ssh goes on\n");
      // The kernel has closed the proxy's side: what is sent there now is answered with a reset.
      await until(async () => {
        await live.write("anybody?\n").catch(() => {});
        return !live.running;
      }, { what: "end of a connection whose proxy has died", pollMs: 100 });

      async function assertDecided(): Promise<void> {
        for (const family of [4, 6] as const) {
          assert.equal(await curl(lab.router, nginx.url(family)), exitCode);
          const server = openServer(lab, family);
          await assertUdp(openOwn(lab, family), server);
          server.close();
          await lab.router.run(["ping", "-c1", "-W2", ADDRESSES[family].server]);
        }
      }
      async function assertUdp(own: UdpSocket, server: UdpSocket): Promise<void> {
        const fate = await ask(own, server);
        if (told === undefined) assert.equal(fate, "answered");
        else assert.match(fate, new RegExp(`^(${told})$`));
      }
    },
  );
}

labTest("run, killed, takes none of the router's connections along, with on-failure: open", {
  programs: PROGRAMS,
}, async (lab) => {
  const nginx = await startNginx(lab);
  const proxy = await startRouterProxy(lab);
  assert.equal(await curl(lab.router, nginx.url(4)), 0);
  // The proxy has a part in what the router dials.
  await lab.router.start(["socat", "-t30", "-", socatServer(4, 80)]);
  await waitForSockets(lab.router, { filter: "state established sport = 80", count: 1 });
  await proxy.program.stop("SIGKILL");
  const start = performance.now();
  await Promise.all(([4, 6] as const).map((family) => lab.router.run(["curl", "-sSfm9", nginx.url(family)])));
  const waited = performance.now() - start;
  assert.ok(waited < 900, `${waited} ms: a packet had to be repeated`);
});

labTest("run, killed, delays the router's connections and does not refuse them, with admission: early", {
  programs: PROGRAMS,
}, async (lab) => {
  const nginx = await startNginx(lab);
  const proxy = await startRouterProxy(lab, { intercept: { admission: "early" } });
  assert.equal(await curl(lab.router, nginx.url(4)), 0);
  await proxy.program.stop("SIGKILL");
  const start = performance.now();
  await Promise.all(([4, 6] as const).map((family) => lab.router.run(["curl", "-sSfm9", nginx.url(family)])));
  const waited = performance.now() - start;
  assert.ok(waited > 500 && waited < 6_000, `${waited} ms`);
});

labTest("run, as it ends, loses none of the router's connections, with on-failure: open", {
  programs: PROGRAMS,
}, async (lab) => {
  const nginx = await startNginx(lab);
  await serve(lab, 7000, "cat");
  const proxy = await startRouterProxy(lab);
  const live = await lab.router.start(["socat", "-t30", "-", socatServer(4, 7000)]);
  await live.write("before\n");
  await live.waitForOutput("before\n");
  proxy.program.signal("SIGTERM");
  await proxy.program.waitForOutput("draining");
  for (let round = 0; round < 10; round++) {
    for (const family of [4, 6] as const) {
      const start = performance.now();
      assert.equal(await curl(lab.router, nginx.url(family)), 0);
      assert.ok(performance.now() - start < 900, "no packet had to be repeated");
    }
  }
  await live.write("after\n");
  await live.waitForOutput("after\n");
  await live.closeInput();
  await proxy.program.waitForExit({ timeoutMs: 30_000 });
  // All but those that came before it had told the rules went out without it.
  const accepted = Number(/stopped accepted=(\d+)/.exec(proxy.log)![1]);
  assert.ok(accepted < 21, `${accepted} accepted`);
});

labTest("install, again, while the proxy runs loses none of the router's connections", {
  programs: PROGRAMS,
}, async (lab) => {
  const nginx = await startNginx(lab);
  await serve(lab, 7000, "cat");
  const config = { intercept: { "on-failure": "reset" } };
  const proxy = await startRouterProxy(lab, config);
  const live = await lab.router.start(["socat", "-t30", "-", socatServer(6, 7000)]);
  for (let round = 0; round < 5; round++) {
    await tproxy(lab, ["install", "-c", proxy.configPath]);
    assert.equal(await curl(lab.router, nginx.url(round % 2 === 0 ? 4 : 6)), 0);
    await live.write(`${round}\n`);
    await live.waitForOutput(`${round}\n`);
  }
  await tproxy(lab, ["status", "-c", proxy.configPath]);
  await live.closeInput();
  assert.equal((await endProxy(proxy)).accepted, 6);
});

// A proxy sends traffic that it does not know of without a mark, and so to itself; where it does not listen
// nobody does.
const OTHERS = {
  "that does not know of it": { protocols: ["tcp", "udp"] },
  "that relays TCP alone": { protocols: ["tcp"], "router-traffic": true },
  "with another port": { protocols: ["tcp", "udp"], "router-traffic": true },
} as const;

for (const [what, intercept] of Object.entries(OTHERS)) {
  labTest(
    `install gives none of the router's own traffic that it does not relay to a proxy ${what}`,
    { programs: PROGRAMS },
    async (lab) => {
      const nginx = await startNginx(lab);
      const proxy = await startProxy(lab, { config: { kernel: { backend: "netlink" }, intercept } });
      const otherPort = what === "with another port";
      const installed = {
        listener: { port: otherPort ? 50099 : 50080 },
        // The rules of the running proxy itself know no port of an install.
        intercept: otherPort ? { admission: "early" } : {},
      };
      await tproxy(lab, ["install", "-c", writeConfig(lab, routerConfig(installed))]);
      // At once, and when the proxy has shown itself.
      for (const wait of [0, 1_000]) {
        await delay(wait);
        for (const family of [4, 6] as const) {
          assert.equal(await curl(lab.router, nginx.url(family)), 0);
          const own = openOwn(lab, family);
          const server = openServer(lab, family);
          assert.equal(await exchange(own, server), own.local);
          server.close();
        }
      }
      // Its own rules tell what it relays; those of an install know no more than that one runs.
      assert.equal((await endProxy(proxy)).accepted, what === "that relays TCP alone" ? 4 : 0);
    },
  );
}

labTest("uninstall takes the router's own traffic out of the proxy's hands, and leaves nothing", {
  programs: PROGRAMS,
}, async (lab) => {
  const before = await snapshotKernel(lab.router);
  const nginx = await startNginx(lab);
  const proxy = await startRouterProxy(lab, { intercept: { "on-failure": "drop" } });
  for (const family of [4, 6] as const) {
    assert.equal(await curl(lab.router, nginx.url(family)), 0);
    await exchange(openOwn(lab, family), openServer(lab, family));
  }
  await tproxy(lab, ["uninstall"]);
  // The proxy has switched it off, and puts it back at its end.
  const installed = (text: string) => text.replace(/^net\.ipv4\.tcp_early_demux = .*\n/m, "");
  assert.equal(installed(await snapshotKernel(lab.router)), installed(before));
  for (const family of [4, 6] as const) assert.equal(await curl(lab.router, nginx.url(family)), 0);
  const { accepted } = await endProxy(proxy);
  assert.equal(accepted, 2);
  assert.equal(await snapshotKernel(lab.router), before);
});
