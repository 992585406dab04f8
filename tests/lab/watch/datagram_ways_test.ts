/**
 * Ways of watched flows of UDP whose first datagrams are held: each goes to the server behind the WAN that
 * the router's rules choose, and conntrack's entry of the flow is the one that it has without a proxy.
 */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { until } from "../../laboratory/machine/wait.ts";
import { assertRefused } from "../../laboratory/names/quic.ts";
import type { Namespace } from "../../laboratory/namespace.ts";
import { addSecondWan, SECOND_TABLE } from "../../laboratory/network/second_wan.ts";
import { openClient, openServer, startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { at, type UdpSocket } from "../../laboratory/network/udp_socket.ts";
import { labTest } from "../../laboratory/register.ts";
import { recorded } from "../../unit/sniff/recordings.ts";

const OPTIONS = { programs: ["nft", "conntrack"], forwarding: true };
const HELD = recorded("quic-chromium");
const SECOND = [...HELD, "more"].map(() => "second").join();
/** Ports of flows without a proxy, through it, and of one that a name ends. */
const PORTS = { without: 7001, through: 7002, shut: 7003 };
const RULES = [
  { name: "shut", domains: ["recorded.example"], ports: [PORTS.shut], action: "block" },
  { name: "other", domains: ["other.example"], action: "block" },
];

/** A flow as its ends and the router see it. */
interface Travelled {
  /** The server that got each: the first datagrams, and one that follows an answer. */
  readonly servers: string;
  /** The router's entry of it, but for times and counters. */
  readonly entry: string;
}

/** Begins a flow, has it answered by who got it, and goes on with it. */
async function travel(lab: Lab, second: Namespace, family: 4 | 6, port: number): Promise<Travelled> {
  const servers = [
    { name: "first", socket: openServer(lab, family, port) },
    { name: "second", socket: second.udp({ family, bind: at(ADDRESSES[family].server, port) }) },
  ];
  const client = openClient(lab, family, port);
  const got: { readonly name: string; readonly socket: UdpSocket; readonly from: string }[] = [];
  const take = (count: number) =>
    until(() => {
      for (const { name, socket } of servers) {
        const datagram = socket.poll();
        if (datagram !== undefined) got.push({ name, socket, from: datagram.from });
      }
      return got.length === count;
    }, { what: `${count} datagrams`, pollMs: 1 });
  for (const datagram of HELD) client.send(datagram);
  await take(HELD.length);
  const { socket, from } = got.at(-1)!;
  socket.send("answer", from);
  assert.equal((await client.receive()).text, "answer");
  client.send("more");
  await take(HELD.length + 1);
  const argv = ["conntrack", "-L", "-f", `ipv${family}`, "-p", "udp", "--sport", `${client.port}`];
  const { stdout } = await lab.router.run(argv);
  const entry = stdout.trim().replaceAll(/^udp +17 \d+ | use=\d+| \[ASSURED\]/g, "")
    .replaceAll(`port=${client.port} `, "port=its ").replaceAll(`port=${port} `, "port=server ");
  return { servers: got.map(({ name }) => name).join(), entry };
}

/** Registers a test: with a proxy the same becomes of flows of both families as without one. */
function wayTest(name: string, before: string, router: (lab: Lab) => Promise<void>): void {
  labTest(`held datagrams leave as without tproxy: ${name}`, OPTIONS, async (lab) => {
    const second = await addSecondWan(lab);
    await router(lab);
    const without = [
      await travel(lab, second, 4, PORTS.without),
      await travel(lab, second, 6, PORTS.without),
    ];
    for (const { servers, entry } of without) {
      assert.equal(servers, SECOND);
      assert.ok(entry.includes(before), entry);
    }
    await startUdpProxy(lab, { rules: RULES, default: "bypass" });
    const through = [
      await travel(lab, second, 4, PORTS.through),
      await travel(lab, second, 6, PORTS.through),
    ];
    assert.deepEqual(through, without);
    await assertRefused(openClient(lab, 4, PORTS.shut), HELD);
  });
}

/** Leads what a rule of routing matches by the second WAN. */
async function route(lab: Lab, words: string): Promise<void> {
  for (const family of [4, 6] as const) {
    await lab.router.ip(`rule add pref 30000 ${words} lookup ${SECOND_TABLE}`, { family });
  }
}

wayTest("by the incoming interface, masqueraded", "mark=0", async (lab) => {
  await route(lab, "iif r0");
  await lab.router.nft(`table inet others {
    chain post { type nat hook postrouting priority srcnat; oifname "r2" masquerade; }
  }`);
});

wayTest("by a mark that conntrack keeps", "mark=2", async (lab) => {
  await route(lab, "fwmark 2");
  await lab.router.nft(`table inet others {
    chain pre {
      type filter hook prerouting priority mangle;
      iifname "r0" meta mark set ct mark
      iifname "r0" ct state new meta mark set 2 ct mark set meta mark
    }
  }`);
});

wayTest("by the incoming interface, and by a mark of where it has left", "mark=5", async (lab) => {
  await route(lab, "iif r0 fwmark 0");
  await route(lab, "iif r0 fwmark 5");
  await lab.router.nft(`table inet others {
    chain pre { type filter hook prerouting priority mangle; iifname "r0" meta mark set ct mark; }
    chain forward { type filter hook forward priority mangle; oifname "r2" ct state new meta mark set 5; }
    chain out { type route hook output priority mangle; meta l4proto udp meta mark set 9; }
    chain post { type filter hook postrouting priority mangle; oifname "r2" ct mark set meta mark; }
  }`);
});
