/** QUIC by name as an administrator has it: a YAML file with a list, install, run, a reload. */
import assert from "node:assert/strict";
import { OperationError } from "../../../src/net/error.ts";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { delay } from "../../laboratory/machine/wait.ts";
import { exchange, openClient, openServer, startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { at, type Datagram, type UdpSocket } from "../../laboratory/network/udp_socket.ts";
import type { Proxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { startV2ray } from "../../laboratory/upstreams/proxies.ts";
import { crypto, packet } from "../../unit/sniff/quic/client.ts";
import { recorded } from "../../unit/sniff/recordings.ts";
import { entry, hello, serverName } from "../../unit/sniff/tls/hello.ts";

const PORT = 443;
const SOCKS_PORT = 1080;

/** First flights by the names in them: of Chromium, of RFC 9001, made by hand; and two that show none. */
const FLIGHTS = {
  "recorded.example": recorded("quic-chromium"),
  "example.com": recorded("quic-rfc9001"),
  "x.office.example": [packet(crypto(0, hello([serverName(entry("x.office.example"))])))],
  "a query": [new TextEncoder().encode("a query")],
  "an old version": recorded("quic-ngtcp2-draft"),
} as const;

type Flight = keyof typeof FLIGHTS;
/** The server has seen the client itself, or the office's proxy; or the client was refused. */
type End = "client" | "office" | "refused";

/** Sends first flights in both families, each from a port of its own, and looks for their ends. */
async function expectEnds(lab: Lab, firstPort: number, ends: Readonly<Partial<Record<Flight, End>>>) {
  for (const family of [4, 6] as const) {
    const { client: own, server: other } = ADDRESSES[family];
    for (const [i, [flight, end]] of Object.entries(ends).entries()) {
      const server = openServer(lab, family, PORT);
      const client = lab.client.udp({ family, bind: at(own, firstPort + i), connect: at(other, PORT) });
      const datagrams = FLIGHTS[flight as Flight];
      const seen = sendAll(client, datagrams) ? await follow(client, server, datagrams) : "refused";
      assert.equal(seen, end, `${flight} IPv${family}`);
      client.close();
      server.close();
    }
  }
}

/** Sends a flight; false: it was refused before its last datagram was sent. */
function sendAll(client: UdpSocket, datagrams: readonly Uint8Array[]): boolean {
  try {
    for (const datagram of datagrams) client.send(datagram);
    return true;
  } catch (error) {
    if (!(error instanceof OperationError) || error.code !== "ECONNREFUSED") throw error;
    return false;
  }
}

/** Follows a flight to its end, and where it arrives an answer, and what the client says then. */
async function follow(client: UdpSocket, server: UdpSocket, sent: readonly Uint8Array[]): Promise<End> {
  const first = await firstOf(client, server);
  if (first === "refused") return first;
  const rest: Datagram[] = [];
  while (rest.length + 1 < sent.length) rest.push(await server.receive());
  assert.deepEqual([first, ...rest].map(({ data }) => data), sent);
  server.send("an answer", first.from);
  assert.equal((await client.receive()).text, "an answer");
  client.send("more");
  const { text, from } = await server.receive();
  assert.deepEqual([text, from], ["more", first.from]);
  return from === client.local ? "client" : "office";
}

/** Waits for the first datagram at the server, or the refusal at the client. */
async function firstOf(client: UdpSocket, server: UdpSocket): Promise<Datagram | "refused"> {
  for (let waited = 0; waited < 3_000; waited++) {
    try {
      client.poll();
    } catch (error) {
      if (!(error instanceof OperationError) || error.code !== "ECONNREFUSED") throw error;
      assert.equal(await server.receiveWithin(20), undefined, "nothing of it has come to the server");
      return "refused";
    }
    const datagram = server.poll();
    if (datagram !== undefined) return datagram;
    await delay(1);
  }
  throw new Error("neither the server nor the client has heard anything");
}

/** Has the proxy read its list anew. */
async function reload(proxy: Proxy, list: string): Promise<void> {
  proxy.program.signal("SIGHUP");
  await proxy.program.waitForOutput("generation 2 is in force");
  assert.ok(proxy.log.split("in force").at(-1)!.includes(list), proxy.log);
}

/** Ends the proxy; the flows of its access log in words: name, rule, action and upstream of each. */
async function endFlows(proxy: Proxy): Promise<string[]> {
  proxy.program.signal("SIGTERM");
  assert.equal(await proxy.program.waitForExit({ timeoutMs: 60_000 }), 0);
  const lines = proxy.log.trimEnd().split("\n").map((line) => JSON.parse(line));
  return lines.filter(({ msg }) => msg === "flow").map((flow) => {
    const told = (key: string, otherwise?: string) => flow[`tproxy.${key}`] ?? otherwise;
    return `${told("name", "nameless")}: ${told("rule")}, ${told("action")}, ${
      told("upstream", "its server")
    }`;
  }).toSorted();
}

for (const admission of ["forward-path", "early"] as const) {
  labTest(`QUIC names are blocked, go through SOCKS5, or direct, and a reload moves them: ${admission}`, {
    programs: ["v2ray"],
    netlinkOnly: "the admission is told apart with nf_tables alone",
  }, async (lab) => {
    await startV2ray(lab, { port: SOCKS_PORT, asks: false });
    const list = lab.writeFile("ads.list", "||recorded.example^\n");
    const office = `${ADDRESSES[4].server}:${SOCKS_PORT}`;
    const proxy = await startUdpProxy(lab, {
      intercept: { admission },
      rules: [
        { name: "ads", "domains-file": list, action: "block" },
        { name: "work", domains: [".office.example"], action: "proxy", upstream: "office" },
      ],
      upstreams: { office: { type: "socks5", address: office, udp: true } },
      log: { access: "on", format: "json" },
    });
    await expectEnds(lab, 40_000, {
      "recorded.example": "refused",
      "example.com": "client",
      "x.office.example": "office",
      "a query": "client",
      "an old version": "client",
    });
    lab.writeFile("ads.list", "example.com\nx.office.example\n");
    await reload(proxy, list);
    await expectEnds(lab, 41_000, {
      "recorded.example": "client",
      "example.com": "refused",
      "x.office.example": "refused",
      "a query": "client",
    });
    // Each went through the proxy, in both families.
    const flows = [
      "recorded.example: ads, block, its server",
      "example.com: default, direct, its server",
      "x.office.example: work, proxy, office",
      "nameless: default, direct, its server",
      "nameless: default, direct, its server",
      "recorded.example: default, direct, its server",
      "example.com: ads, block, its server",
      "x.office.example: ads, block, its server",
      "nameless: default, direct, its server",
    ];
    assert.deepEqual(await endFlows(proxy), [...flows, ...flows].toSorted());
  });
}

labTest("A block list is watched for in QUIC: the kernel forwards, the proxy relays nothing", {
  forwarding: true,
  netlinkOnly: "rules by name are watched with nf_tables",
}, async (lab) => {
  const list = lab.writeFile("ads.list", "recorded.example\n");
  const rule = { name: "ads", "domains-file": list, ports: [PORT], action: "block" };
  const proxy = await startUdpProxy(lab, {
    intercept: { admission: "forward-path" },
    rules: [rule],
    default: "bypass",
    log: { access: "on", format: "json" },
  });
  await expectEnds(lab, 40_000, { "recorded.example": "refused", "example.com": "client" });
  for (const family of [4, 6] as const) {
    const client = openClient(lab, family);
    assert.equal(await exchange(client, openServer(lab, family)), client.local);
  }
  lab.writeFile("ads.list", "example.com\n");
  await reload(proxy, list);
  await expectEnds(lab, 41_000, { "recorded.example": "client", "example.com": "refused" });
  const flows = ["recorded.example: ads, block, its server", "example.com: ads, block, its server"];
  assert.deepEqual(await endFlows(proxy), [...flows, ...flows].toSorted());
  assert.match(proxy.log, /"tproxy.udp_sessions":0,/);
});
