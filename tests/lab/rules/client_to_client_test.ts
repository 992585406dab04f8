/**
 * LAN to LAN: it is forwarded, unless a rule that names destinations says otherwise. The client and the guest
 * are behind different interfaces of clients; see tests/laboratory/field/places.ts.
 */
import assert from "node:assert/strict";
import { Caller } from "../../laboratory/field/caller.ts";
import { type Field, inField, startFieldProxy } from "../../laboratory/field/field.ts";
import { FIELD } from "../../laboratory/field/places.ts";
import { every, type Expected, type Probe } from "../../laboratory/field/probes.ts";
import { at } from "../../laboratory/network/udp_socket.ts";
import { type ConfigText, type Proxy, tproxy } from "../../laboratory/proxy/proxy.ts";
import { endProxy } from "../../laboratory/proxy/router_proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { startDante } from "../../laboratory/upstreams/proxies.ts";

const FAMILIES = [4, 6] as const;
const SOCKS_PORT = 1080;
const WEB_PORT = 8081;
const GUESTS = ["10.77.4.0/24", "fd77:4::/64"];
const UPSTREAMS = {
  office: { type: "socks5", address: `${FIELD.server[4]}:${SOCKS_PORT}` },
} as const;
const FORWARDED = "guest sees client";
const BY_OFFICE = "guest sees server, another port";
/** A firewall of the router itself: it drops what is invalid to conntrack, and new flows of clients. */
const STRICT = `nft -f - <<END
table inet strict {
  chain input {
    type filter hook input priority filter; policy accept;
    ct state invalid drop
    iifname { r0, r4 } ct state new meta l4proto { tcp, udp } drop
  }
}
END`;

interface Case {
  readonly config: ConfigText;
  readonly expected: Expected;
  /** Flows pass the proxy. */
  readonly relayed: boolean;
  /** The last line of `tproxy explain` for the guest's port 80. */
  readonly end: RegExp;
}

/** Registers a test in which the client calls the guest, and the server where nothing leads elsewhere. */
function clientTest(name: string, { config, expected, relayed, end }: Case): void {
  labTest(
    `LAN to LAN: ${name}`,
    { forwarding: true, programs: ["danted"] },
    (lab) =>
      inField(lab, { router: STRICT }, async (field) => {
        await startDante(lab, { port: SOCKS_PORT });
        const proxy = await startFieldProxy(field, {
          config: { default: "direct", upstreams: UPSTREAMS, ...config },
        });
        await assertProbes(field, every("guest", 80, expected));
        await assertExplained(field, proxy, end);
        const counts = await endProxy(proxy);
        assert.equal(counts.accepted + (counts["udp-sessions"] ?? 0) > 0, relayed, "passed the proxy");
      }),
  );
}

async function assertProbes({ places }: Field, probes: readonly Probe[]): Promise<void> {
  for (const { name, expected, run } of probes) assert.equal(await run(places), expected, name);
}

async function assertExplained({ lab }: Field, { configPath }: Proxy, end: RegExp): Promise<void> {
  for (const family of FAMILIES) {
    for (const protocol of ["tcp", "udp"]) {
      const { stdout } = await tproxy(lab, [
        "explain",
        "-c",
        configPath,
        "--in",
        "r0",
        "--protocol",
        protocol,
        "--from",
        FIELD.client[family],
        "--to",
        at(FIELD.guest[family], 80),
      ], { mayFail: true });
      assert.match(stdout.trim().split("\n").at(-1)!, end);
    }
  }
}

clientTest("forwarded by default", {
  config: {},
  expected: FORWARDED,
  relayed: false,
  end: /^end: the kernel forwards it \(from client to client/,
});

clientTest("forwarded where rules name no destination", {
  config: {
    rules: [
      { name: "names", domains: ["*.example"], action: "proxy", upstream: "office" },
      { name: "web", ports: [80], action: "proxy", upstream: "office" },
    ],
  },
  expected: FORWARDED,
  relayed: false,
  end: /^end: the kernel forwards it \(from client to client/,
});

clientTest("forwarded where the first rule that matches names no destination", {
  config: {
    rules: [
      { name: "from", from: [FIELD.client[4], FIELD.client[6]], action: "proxy", upstream: "office" },
      { name: "guests", to: GUESTS, action: "proxy", upstream: "office" },
    ],
  },
  expected: FORWARDED,
  relayed: false,
  end: /^end: the kernel forwards it \(from client to client/,
});

clientTest("bypass", {
  config: {
    rules: [
      { name: "names", domains: ["*.example"], action: "proxy", upstream: "office" },
      { name: "guests", to: GUESTS, action: "bypass" },
    ],
  },
  expected: FORWARDED,
  relayed: false,
  end: /^end: the kernel forwards it \(from client to client/,
});

clientTest("through an upstream", {
  config: { rules: [{ name: "guests", to: GUESTS, action: "proxy", upstream: "office" }] },
  expected: BY_OFFICE,
  relayed: true,
  end: /^end: the proxy relays it through an upstream/,
});

clientTest("through an upstream, behind a rule with names", {
  config: {
    default: "bypass",
    rules: [
      { name: "names", domains: ["*.example"], action: "proxy", upstream: "office" },
      { name: "guests", to: GUESTS, ports: [80], action: "proxy", upstream: "office" },
    ],
  },
  expected: BY_OFFICE,
  relayed: true,
  end: /^end: the proxy relays it through an upstream/,
});

clientTest("relayed", {
  config: { rules: [{ name: "guests", to: GUESTS, action: "direct" }] },
  // With the client's address the answers would pass for what the guest sends.
  expected: "guest sees guests, another port",
  relayed: true,
  end: /^end: the proxy relays it to its own destination/,
});

labTest(
  "LAN to LAN: by name, where the rule names the destination as well",
  { forwarding: true, programs: ["python3"] },
  (lab) =>
    inField(lab, { router: STRICT }, async (field) => {
      const web = ["python3", "-m", "http.server", "--bind", "::", String(WEB_PORT)];
      await field.places.guest.start(web, { listens: WEB_PORT });
      const ads = { name: "ads", domains: ["ads.example"], action: "block" };
      const proxy = await startFieldProxy(field, {
        config: { default: "direct", rules: [{ ...ads, to: GUESTS }] },
      });
      const ends = [];
      for (const family of FAMILIES) {
        for (const name of ["ads.example", "other.example"]) ends.push(await ask(field, family, name));
      }
      assert.deepEqual(ends, ["reset", "HTTP/1.0 200 OK", "reset", "HTTP/1.0 200 OK"]);
      assert.equal((await endProxy(proxy)).accepted, 4);
    }),
);

/** Names a name by HTTP, as the client who speaks first, and says what came of it. */
async function ask({ places }: Field, family: 4 | 6, name: string): Promise<string> {
  using caller = new Caller(places.client, at(FIELD.guest[family], WEB_PORT));
  const failure = await caller.connected(1_500);
  if (failure !== undefined) return failure;
  caller.send(`HEAD / HTTP/1.1\r\nHost: ${name}\r\n\r\n`);
  const answer = await caller.read(/\n/, 1_500);
  return answer.split("\r\n")[0];
}

clientTest("blocked", {
  config: { rules: [{ name: "guests", to: GUESTS, action: "block" }] },
  expected: "refused",
  relayed: false,
  end: /^end: it is refused/,
});

clientTest("blocked, whatever the rule names", {
  config: { rules: [{ name: "web", ports: [80], action: "block", silent: true }] },
  expected: "silence",
  relayed: false,
  end: /^end: it is dropped/,
});
