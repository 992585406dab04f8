/** SYN cookies and floods of SYNs (field case 17, F7). */
import assert from "node:assert/strict";
import { type Field, fieldTest } from "../../laboratory/field/field.ts";
import { FIELD, type Places } from "../../laboratory/field/places.ts";
import { every, type Probe, tcp } from "../../laboratory/field/probes.ts";
import { delay } from "../../laboratory/machine/wait.ts";
import { buildFrame } from "../../laboratory/network/packets.ts";
import { RawLink } from "../../laboratory/network/raw_link.ts";
import { parseIp } from "../../../src/net/ip.ts";

const FLOOD_MS = 3_000;
/** SYNs of each family that go out at once, some milliseconds apart. */
const BURST = 20;
const SOURCES = {
  4: (i: number) => `10.88.${i >> 8}.${i & 255}`,
  6: (i: number) => `fd88::${i.toString(16)}`,
};

/** Cookies that the router's kernel has sent and got back: the counters of the namespace. */
async function countCookies({ lab }: Field): Promise<{ sent: number; received: number }> {
  const { stdout } = await lab.router.run(["nstat", "-asz", "TcpExtSyncookiesSent", "TcpExtSyncookiesRecv"]);
  const count = (name: string) => Number(new RegExp(`${name} +(\\d+)`).exec(stdout)?.[1]);
  return { sent: count("SyncookiesSent"), received: count("SyncookiesRecv") };
}

fieldTest("tcp_syncookies=2 on the router", {
  programs: ["nstat"],
  router: "sysctl -qw net.ipv4.tcp_syncookies=2",
  probes: [
    ...every("server", 80, "server sees client"),
    ...every("server", 9, "refused"),
    ...every("server", 443, "server sees guest", { from: "guest" }),
  ],
  // Four connections stand, and each began with a cookie.
  async through(field) {
    const { sent, received } = await countCookies(field);
    assert.ok(sent >= 4 && received === 4, `${sent} cookies sent, ${received} came back`);
  },
});

/** Sends forged SYNs of both families for some time. Gives their number. */
async function flood({ client }: Places): Promise<number> {
  using link = new RawLink(client, "c0");
  const end = performance.now() + FLOOD_MS;
  let sent = 0;
  for (; performance.now() < end; sent++) {
    for (const family of [4, 6] as const) {
      link.send(buildFrame({
        source: parseIp(SOURCES[family](sent))!,
        destination: parseIp(FIELD.anycast[family])!,
        sourcePort: 1_024 + sent,
        destinationPort: 443,
        kind: "syn",
        sourceMac: Uint8Array.of(2, 0, 0, 0, 0, 2),
        destinationMac: Uint8Array.of(2, 0, 0, 0, 0, 1),
      }));
    }
    if (sent % BURST === 0) await delay(2);
  }
  return 2 * sent;
}

/** Connections that begin while the flood runs, one after the other. */
const DIALS: readonly Probe[] = [
  tcp("server", 80, "server sees client"),
  tcp("server", 80, "server sees client", { family: 6 }),
  tcp("server", 443, "server sees guest", { from: "guest" }),
  tcp("server", 443, "server sees guest", { from: "guest", family: 6 }),
];

const FLOODED: Probe = {
  name: "a flood, and connections in it",
  expected: "each is connected",
  async run(places) {
    const end = performance.now() + FLOOD_MS;
    const flooding = flood(places);
    const failures = [];
    let tries = 0;
    for (; performance.now() < end; tries++) {
      const dial = DIALS[tries % DIALS.length];
      const words = await dial.run(places);
      if (words !== dial.expected) failures.push(`${dial.name}: ${words}`);
    }
    const forged = await flooding;
    // Each way once, whatever else the machine does.
    assert.ok(forged > 500 && tries >= DIALS.length, `${tries} connections among ${forged} SYNs`);
    return failures.length === 0 ? "each is connected" : `${failures.length} are not, ${failures[0]}`;
  },
};

fieldTest("a flood of SYNs with forged sources", {
  programs: ["nstat"],
  // A small queue of half-open connections, which is full early.
  router: "sysctl -qw net.core.somaxconn=128",
  before: ({ lab }) =>
    Promise.all([
      lab.client.ip("link set c0 address 02:00:00:00:00:02"),
      lab.router.ip(`
        link set r0 address 02:00:00:00:00:01
        route add 10.88.0.0/16 via ${FIELD.client[4]}
        route add fd88::/64 via ${FIELD.client[6]}`),
    ]),
  probes: [
    FLOODED,
    ...every("server", 80, "server sees client"),
    ...every("server", 443, "server sees guest", { from: "guest" }),
  ],
  async through(field) {
    const { sent, received } = await countCookies(field);
    // The flood fills the queue with those that never answer; connections in it stand by their cookies.
    assert.ok(sent > 100 && received > 0, `${sent} cookies sent, ${received} came back`);
  },
});
