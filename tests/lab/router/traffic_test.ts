/** `intercept.router-traffic`: what programs on the router itself send, seen by real programs there. */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { labTest } from "../../laboratory/register.ts";
import { curl, endProxy, openOwn, startRouterProxy } from "../../laboratory/proxy/router_proxy.ts";
import { serve, socatServer } from "../../laboratory/network/sockets.ts";
import { exchange, fateOf, openClient, openServer } from "../../laboratory/network/udp_peers.ts";
import { at } from "../../laboratory/network/udp_socket.ts";
import { until } from "../../laboratory/machine/wait.ts";

const PROGRAMS = ["curl", "nginx", "socat"];
const SOURCES = ["client", "client-address", "router"] as const;

/**
 * A strict firewall, firewalld's check of the reverse path, and a program that saves and restores the whole
 * marks of flows.
 */
const NEIGHBOURS = `table inet neighbours {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state invalid drop
    ct state established,related accept
    iif lo accept
    iifname r0 accept
    meta l4proto { icmp, icmpv6 } accept
  }
  chain output {
    type filter hook output priority filter;
    ct state invalid drop
  }
  chain reverse_path {
    type filter hook prerouting priority filter + 10;
    meta nfproto ipv4 fib saddr . iif oif missing drop
    meta nfproto ipv6 fib saddr . mark . iif oif missing drop
  }
  chain restore {
    type filter hook prerouting priority mangle;
    meta mark set ct mark
  }
  chain save {
    type filter hook postrouting priority mangle;
    ct mark set meta mark
  }
}`;

/** curl's exit codes. */
const REFUSED = 7;
const TIMED_OUT = 28;

function addressOf(endpoint: string): string {
  return endpoint.replace(/:\d+$/, "").replace(/[[\]]/g, "");
}

for (const source of SOURCES) {
  for (const options of [{}, { masquerade: true }, { tailscaleSysctls: true }]) {
    const where = Object.keys(options).map((name) => `, ${name}`).join("");
    labTest(`run relays the router's own TCP, once each, source: ${source}${where}`, {
      programs: PROGRAMS,
      ...options,
    }, async (lab) => {
      const nginx = await startNginx(lab);
      const proxy = await startRouterProxy(lab, { source });
      for (const family of [4, 6] as const) {
        const { stdout } = await lab.router.run(["curl", "-sSfm10", nginx.url(family)]);
        assert.equal(stdout, "hello\n");
        assert.equal((await nginx.waitForAccess(family)).client, ADDRESSES[family].wan);
        assert.equal(await nginx.get(family), "hello\n");
        const ofRouter = source === "router" || "masquerade" in options;
        const seen = (await nginx.waitForAccess(family)).client;
        assert.equal(seen, ofRouter ? ADDRESSES[family].wan : ADDRESSES[family].client);
      }
      const { accepted, connected, failed } = await endProxy(proxy);
      assert.deepEqual({ accepted, connected, failed }, { accepted: 4, connected: 4, failed: 0 });
    });

    labTest(`run relays the router's own UDP, source: ${source}${where}`, options, async (lab) => {
      const proxy = await startRouterProxy(lab, { source });
      for (const family of [4, 6] as const) {
        const server = openServer(lab, family);
        const own = openOwn(lab, family);
        const seen = await exchange(own, server);
        assert.equal(addressOf(seen), ADDRESSES[family].wan);
        assert.notEqual(seen, own.local, "the proxy's own socket has sent it");
        for (let round = 0; round < 5; round++) assert.equal(await exchange(own, server), seen);
        // One session, and one upstream socket, for all servers; whom it has not asked it does not hear.
        const other = openServer(lab, family, 7001);
        const free = lab.router.udp({ family });
        const upstream = await exchange(free, server, at(ADDRESSES[family].server, 7000));
        other.send("not asked for", upstream);
        assert.equal(await free.receiveWithin(300), undefined);
        assert.equal(await exchange(free, other, at(ADDRESSES[family].server, 7001)), upstream);
        await exchange(openClient(lab, family), server);
      }
      assert.equal((await endProxy(proxy))["udp-sessions"], 6);
    });
  }

  labTest(`run tells programs on the router that nobody listens on a port, source: ${source}`, {
    programs: PROGRAMS,
  }, async (lab) => {
    await startRouterProxy(lab, { source });
    for (const family of [4, 6] as const) {
      const own = openOwn(lab, family, 9);
      await until(async () => {
        const fate = await fateOf(own, lab.server.udp({ family }), 100);
        return fate === "ECONNREFUSED";
      }, { what: `ECONNREFUSED, IPv${family}` });
    }
  });
}

labTest(
  "run passes bulk of the router's own, both ways, and half-closes, beside a strict firewall and users of ct mark",
  {
    programs: PROGRAMS,
  },
  async (lab) => {
    const nginx = await startNginx(lab);
    const data = crypto.getRandomValues(new Uint8Array(60_000));
    lab.writeFile("bulk", new Uint8Array(20_000_000).map((_, i) => data[i % data.length]));
    const proxy = await startRouterProxy(lab);
    const { stdout: expected } = await lab.router.run(["sh", "-c", `sha256sum < ${lab.directory}/bulk`]);
    await serve(lab, 7000, "sha256sum");
    await lab.router.nft(NEIGHBOURS);
    for (const family of [4, 6] as const) {
      const fetch = `curl -sSfm10 ${nginx.url(family, "/files/bulk")} | sha256sum`;
      assert.equal((await lab.router.run(["sh", "-c", fetch])).stdout, expected);
      const server = openServer(lab, family);
      const own = openOwn(lab, family);
      for (let round = 0; round < 5; round++) assert.notEqual(await exchange(own, server), own.local);
      const send = `socat -t30 - ${socatServer(family, 7000)} < ${lab.directory}/bulk`;
      assert.equal((await lab.router.run(["sh", "-c", send])).stdout, expected);
    }
    const { accepted, ...counters } = await endProxy(proxy);
    assert.equal(accepted, 4);
    assert.ok(counters["bytes-up"] > 40_000_000 && counters["bytes-down"] > 40_000_000);
  },
);

labTest(
  "the rules hold for the router's own traffic, but those for interfaces, hardware addresses and other programs",
  {
    programs: PROGRAMS,
  },
  async (lab) => {
    const nginx = await startNginx(lab, { ports: [80, 81, 82, 83, 84, 85, 86] });
    // Every delivered packet would be answered.
    const listener = "TCP6-LISTEN:3129,ipv6only=0,ip-transparent,fork,reuseaddr";
    await lab.router.start(["socat", listener, "SYSTEM:echo delivered"], { listens: 3129 });
    const own = [ADDRESSES[4].wan, ADDRESSES[6].wan];
    const proxy = await startRouterProxy(lab, {
      intercept: { ports: ["1-999", 7000, 7001] },
      rules: [
        { ports: [81, 7000], action: "bypass" },
        { ports: [82, 7001], from: own, action: "block" },
        { ports: [83], action: "block", silent: true },
        { ports: [84], protocol: "tcp", action: "deliver", "deliver-port": 3129 },
        { ports: [85], in: ["r0"], action: "block" },
        { ports: [85], mac: ["02:00:5e:10:00:01"], action: "block" },
        { ports: [86], from: ["10.0.0.0/8"], action: "block" },
      ],
    });
    const fetch = (family: 4 | 6, port: number) =>
      curl(lab.router, nginx.url(family).replace(/:80\/$/, `:${port}/`));
    for (const family of [4, 6] as const) {
      for (const port of [80, 81, 84, 85, 86]) assert.equal(await fetch(family, port), 0, `port ${port}`);
      assert.equal(await fetch(family, 82), REFUSED);
      assert.equal(await fetch(family, 83), TIMED_OUT);
      const server = openServer(lab, family);
      const bypassed = openOwn(lab, family);
      assert.equal(await exchange(bypassed, server), bypassed.local);
      assert.notEqual(await fateOf(openOwn(lab, family, 7001), openServer(lab, family, 7001)), "forwarded");
      // Not among intercept.ports.
      const beyond = openOwn(lab, family, 9000);
      assert.equal(await exchange(beyond, openServer(lab, family, 9000)), beyond.local);
    }
    const { accepted, ...counters } = await endProxy(proxy);
    assert.equal(accepted, 6, "80, 85 and 86");
    assert.equal(counters["udp-sessions"], 0);
  },
);
