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

for (const localnet of [0, 1]) {
  labTest(
    `frames to the loopback addresses of the router reach nobody there, with route_localnet=${localnet}`,
    {
      programs: ["python3"],
    },
    async (lab) => {
      await lab.router.writeSysctl({
        "net.ipv4.conf.all.route_localnet": localnet,
        "net.ipv4.conf.all.rp_filter": 0,
        "net.ipv4.conf.r0.rp_filter": 0,
        "net.ipv4.conf.r1.rp_filter": 0,
      });
      const proxy = await startBoth(lab);
      const before = await counted(lab, proxy);
      const links = [
        { namespace: lab.client, own: "c0", peer: "r0", 4: ADDRESSES[4].client, 6: ADDRESSES[6].client },
        { namespace: lab.server, own: "s0", peer: "r1", 4: ADDRESSES[4].server, 6: ADDRESSES[6].server },
      ] as const;
      const heard: string[] = [];
      for (const link of links) {
        using raw = new RawLink(link.namespace, link.own);
        const macs = {
          sourceMac: macBytes(macOf(link.namespace, link.own)),
          destinationMac: macBytes(macOf(lab.router, link.peer)),
        };
        const ways = [
          [link[4], "127.0.0.1"],
          [link[6], "::1"],
          ["127.0.0.1", "127.0.0.1"],
          ["127.0.0.1", ADDRESSES[4].lan],
          ["127.0.0.1", ADDRESSES[4].wan],
          ["::1", ADDRESSES[6].lan],
          ["::1", ADDRESSES[6].server],
          ["127.0.0.1", ADDRESSES[4].server],
          [ADDRESSES[4].lan, ADDRESSES[4].lan],
          [ADDRESSES[6].lan, ADDRESSES[6].lan],
          [link[4], "127.1.2.3"],
        ];
        raw.frames();
        let port = 40_000;
        for (const [source, destination] of ways) {
          for (const to of PORTS) {
            for (const kind of ["syn", "udp"] as const) {
              const packet: PacketOptions = {
                source: parseIp(source)!,
                destination: parseIp(destination)!,
                sourcePort: ++port,
                destinationPort: to,
                kind,
                payload: new TextEncoder().encode("hello"),
                ...macs,
              };
              raw.send(buildFrame(packet));
            }
          }
        }
        await delay(1500);
        for (const frame of raw.frames()) {
          const seen = readFrame(frame);
          if (seen !== undefined && PORTS.includes(seen.sourcePort) && seen.kind !== "rst") {
            heard.push(`${link.own}: ${seen.kind} from ${seen.sourcePort} to ${seen.destinationPort}`);
          }
        }
      }
      console.log(heard);
      assert.deepEqual(await counted(lab, proxy), before);
      assert.deepEqual(heard, []);
      await until(() => proxy.program.running, { what: "the proxy" });
    },
  );
}

function macBytes(text: string): Uint8Array {
  return Uint8Array.from(text.split(":"), (part) => parseInt(part, 16));
}
