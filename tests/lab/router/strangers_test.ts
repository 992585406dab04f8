/** Nobody on LAN or WAN reaches the listener, the metrics or the control socket of a router. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import type { Namespace } from "../../laboratory/namespace.ts";
import { buildFrame, type PacketOptions, readFrame } from "../../laboratory/network/packets.ts";
import { macOf, RawLink } from "../../laboratory/network/raw_link.ts";
import { type Proxy, PROXY_PORT, startProxy, tproxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { parseIp } from "../../../src/net/ip.ts";

const METRICS_PORT = 9466;
const PORTS = [PROXY_PORT, METRICS_PORT];

/** Python: dials each address and port of its arguments, and asks for metrics; prints what came of it. */
const DIAL = `import socket, sys
for word in sys.argv[1:]:
    address, port = word.rsplit("-", 1)
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        info = socket.getaddrinfo(address, int(port), type=kind)[0]
        s = socket.socket(info[0], kind)
        s.settimeout(1)
        try:
            s.connect(info[4])
            s.send(b"GET /metrics HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n")
            told = repr(s.recv(40))
        except OSError as error: told = "silence" if error.errno is None else error.strerror
        print(word, "tcp" if kind == socket.SOCK_STREAM else "udp", told, flush=True)
        s.close()`;

/** The router's addresses, as a neighbour on a link has to write them. */
async function addressesOf(lab: Lab, link: string): Promise<string[]> {
  const { stdout } = await lab.router.run(["ip", "-json", "address"]);
  const links = JSON.parse(stdout) as { addr_info: { local: string }[] }[];
  return links.flatMap(({ addr_info }) => addr_info).map(({ local }) =>
    local.startsWith("fe80") ? `${local}%${link}` : local
  ).filter((address) => !address.startsWith("127.") && address !== "::1");
}

/** All that the proxy counts of flows, a metric a line. */
async function counted(lab: Lab, proxy: Proxy): Promise<string[]> {
  const { stdout } = await tproxy(lab, ["metrics", "-c", proxy.configPath]);
  const lines = stdout.split("\n").filter((line) =>
    /^tproxy_(connection|udp|dial|relayed|rule)/.test(line) && !/dropped_total.*own_address/.test(line)
  );
  assert.ok(lines.some((line) => line.startsWith("tproxy_connections_accepted_total")));
  return lines;
}

function startBoth(lab: Lab): Promise<Proxy> {
  return startProxy(lab, {
    config: {
      intercept: { protocols: ["tcp", "udp"], interfaces: ["r0"] },
      metrics: `127.0.0.1:${METRICS_PORT}`,
    },
  });
}

labTest("neighbours on LAN and WAN find nobody at the listener's port, at whatever address of the router", {
  programs: ["python3"],
}, async (lab) => {
  const proxy = await startBoth(lab);
  const before = await counted(lab, proxy);
  const neighbours: readonly [Namespace, string][] = [[lab.client, "c0"], [lab.server, "s0"]];
  for (const [namespace, link] of neighbours) {
    const places = (await addressesOf(lab, link)).flatMap((address) =>
      PORTS.map((port) => `${address}-${port}`)
    );
    assert.ok(places.length >= 10, places.join());
    const { stdout } = await namespace.run(["python3", "-c", DIAL, ...places], { timeoutMs: 60_000 });
    for (const line of stdout.trimEnd().split("\n")) {
      assert.match(line, /(Connection refused|silence|unreachable)$/);
    }
    assert.equal(stdout.split("\n").length - 1, 2 * places.length);
  }
  assert.deepEqual(await counted(lab, proxy), before);
  assert.doesNotMatch(proxy.log, / (warn|error) /);
});

/** Ways of a neighbour with this address to the loopback addresses, or from them. */
const waysOf = (own: { readonly 4: string; readonly 6: string }): readonly (readonly [string, string])[] => [
  [own[4], "127.0.0.1"],
  [own[4], "127.1.2.3"],
  [own[6], "::1"],
  ["127.0.0.1", "127.0.0.1"],
  ["127.0.0.1", ADDRESSES[4].lan],
  ["127.0.0.1", ADDRESSES[4].wan],
  ["127.0.0.1", ADDRESSES[4].server],
  ["::1", ADDRESSES[6].lan],
  ["::1", ADDRESSES[6].server],
  [ADDRESSES[4].lan, ADDRESSES[4].lan],
  [ADDRESSES[6].lan, ADDRESSES[6].lan],
  [ADDRESSES[4].lan, ADDRESSES[4].server],
];

/** A link's neighbours with what they need to write frames. */
interface Neighbour {
  readonly raw: RawLink;
  readonly addresses: { readonly 4: string; readonly 6: string };
  readonly macs: Pick<PacketOptions, "sourceMac" | "destinationMac">;
}

/** Opens the links; each knows its router, and is known. */
async function openLinks(lab: Lab): Promise<Neighbour[]> {
  const links = [
    {
      namespace: lab.client,
      own: "c0",
      peer: "r0",
      4: ADDRESSES[4].client,
      6: ADDRESSES[6].client,
      near: "lan",
    },
    {
      namespace: lab.server,
      own: "s0",
      peer: "r1",
      4: ADDRESSES[4].server,
      6: ADDRESSES[6].server,
      near: "wan",
    },
  ] as const;
  return await Promise.all(links.map(async ({ namespace, own, peer, near, ...addresses }) => {
    for (const family of [4, 6] as const) await namespace.run(["ping", "-c1", ADDRESSES[family][near]]);
    return {
      raw: new RawLink(namespace, own),
      addresses,
      macs: { sourceMac: macBytes(macOf(namespace, own)), destinationMac: macBytes(macOf(lab.router, peer)) },
    };
  }));
}

const hello = new TextEncoder().encode("hello");

/** The router lets nobody filter by the way back; `localnet`: whether it takes 127.0.0.0/8 from the wire. */
async function letAllIn(lab: Lab, localnet: boolean): Promise<void> {
  const links = ["all", "r0", "r1"].map((link) => [`net.ipv4.conf.${link}.rp_filter`, 0] as const);
  await lab.router.writeSysctl({
    "net.ipv4.conf.all.route_localnet": localnet ? 1 : 0,
    ...Object.fromEntries(links),
  });
}

labTest("frames to and from the loopback addresses reach nobody on a router", {
  programs: ["ping"],
}, async (lab) => {
  await letAllIn(lab, false);
  const proxy = await startBoth(lab);
  const before = await counted(lab, proxy);
  for (const { raw, addresses, macs } of await openLinks(lab)) {
    using link = raw;
    link.frames();
    let port = 40_000;
    for (const [from, to] of waysOf(addresses)) {
      for (const destinationPort of PORTS) {
        for (const kind of ["syn", "udp"] as const) {
          const [source, destination] = [from, to].map((text) => parseIp(text)!);
          const packet = { source, destination, sourcePort: ++port, destinationPort, kind, payload: hello };
          link.send(buildFrame({ ...packet, ...macs }));
        }
      }
    }
    await delay(1500);
    const heard = link.frames().flatMap((frame) => readFrame(frame) ?? [])
      .filter(({ sourcePort, kind }) => PORTS.includes(sourcePort) && kind !== "rst");
    assert.deepEqual(heard, []);
  }
  assert.deepEqual(await counted(lab, proxy), before);
  assert.doesNotMatch(proxy.log, / (warn|error) /);
});

labTest(
  "a router with route_localnet=1 lets neighbours knock at its loopback addresses; nothing is relayed",
  {
    programs: ["ping"],
  },
  async (lab) => {
    await letAllIn(lab, true);
    const proxy = await startBoth(lab);
    const before = await counted(lab, proxy);
    for (const { raw, addresses, macs } of await openLinks(lab)) {
      using link = raw;
      link.frames();
      const packet = {
        source: parseIp(addresses[4])!,
        destination: parseIp("127.0.0.1")!,
        sourcePort: 40_000,
        destinationPort: PROXY_PORT,
        ...macs,
      };
      link.send(buildFrame({ ...packet, kind: "udp", payload: hello }));
      link.send(buildFrame({ ...packet, kind: "syn" }));
      // As a program on the router would be: taken in, and reset when it is seen to want the proxy itself.
      const kinds: string[] = [];
      await until(() => {
        for (const frame of link.frames()) {
          const seen = readFrame(frame);
          if (seen?.sourcePort !== PROXY_PORT) continue;
          kinds.push(seen.kind);
          const sequence = new DataView(frame.buffer).getUint32(14 + 20 + 4);
          if (seen.kind === "syn-ack") {
            link.send(
              buildFrame({ ...packet, kind: "ack", sequence: 2, acknowledges: (sequence + 1) >>> 0 }),
            );
          }
        }
        return kinds.includes("rst");
      }, { what: "the reset" });
      assert.ok(kinds.includes("syn-ack") && !kinds.includes("udp"), kinds.join());
    }
    const after = await counted(lab, proxy);
    const changed = after.filter((line) => !before.includes(line)).map((line) => line.replace(/ \S+$/, ""));
    assert.ok(changed.every((line) => /accepted_total|own_address|looped/.test(line)), changed.join());
  },
);

function macBytes(text: string): Uint8Array {
  return Uint8Array.from(text.split(":"), (part) => parseInt(part, 16));
}
