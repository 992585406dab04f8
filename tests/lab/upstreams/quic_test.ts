/** QUIC by name where its flows are relayed, since a rule may choose an upstream. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { makeCertificate } from "../../laboratory/programs/certificate.ts";
import { quicCommand } from "../../laboratory/programs/script.ts";
import { assertRefused, assertWaitsASecond, notInitials, receiveAll } from "../../laboratory/names/quic.ts";
import { openClient, openServer } from "../../laboratory/network/udp_peers.ts";
import { labTest } from "../../laboratory/register.ts";
import { startV2ray } from "../../laboratory/upstreams/proxies.ts";
import { startRuled } from "../../laboratory/upstreams/through.ts";
import { recorded } from "../../unit/sniff/recordings.ts";

const PORT = 1080;
const MIB = 1 << 20;

const OFFICE = { office: { type: "socks5", address: `${ADDRESSES[4].server}:${PORT}` } };
/** Rules by which only the name tells whether a flow goes through the proxy. */
const LED = { name: "led", domains: [".test"], action: "proxy", upstream: "office" };

function startNamed(lab: Lab, ...rules: object[]) {
  return startRuled(lab, { upstreams: OFFICE, rules: [...rules, LED] });
}

labTest("QUIC of Deno goes through the proxy that a rule has for its name, and 1 MiB both ways", {
  programs: ["openssl", "v2ray"],
}, async (lab) => {
  const { key, certificate } = await makeCertificate(lab);
  await startV2ray(lab, { port: PORT, asks: false });
  const dataplane = await startNamed(lab);
  for (const family of [4, 6] as const) {
    const { server: address, client } = ADDRESSES[family];
    const server = await lab.server.start(quicCommand("serve", address, certificate, key), { udpPort: 443 });
    const { stderr } = await lab.client.run(quicCommand("fetch", address, certificate, `${MIB}`));
    const [sent, received] = /([0-9a-f]{64}) ([0-9a-f]{64})/.exec(stderr)!.slice(1);
    assert.equal(received, sent);
    await server.waitForOutput("connection from ");
    assert.ok(
      !server.stderr.includes(client) && !server.stdout.includes(client),
      "the server saw the client",
    );
    await server.stop();
  }
  const named = (await dataplane.sessions()).map(({ ruleName }) => ruleName);
  assert.deepEqual(named, ["led", "led"]);
});

for (const client of ["chromium", "chromium-v2", "firefox", "deno", "ngtcp2"]) {
  labTest(`QUIC of ${client} waits for its name, and goes on in order`, {}, async (lab) => {
    const datagrams = recorded(`quic-${client}`);
    const dataplane = await startNamed(
      lab,
      { name: "shut", domains: ["recorded.example"], ports: [7001], action: "block" },
      { name: "open", domains: ["recorded.example"], action: "direct" },
    );
    for (const family of [4, 6] as const) {
      const server = openServer(lab, family);
      const open = openClient(lab, family);
      for (const datagram of datagrams) open.send(datagram);
      assert.deepEqual(await receiveAll(server, 300), datagrams);

      const blocked = openServer(lab, family, 7001);
      const shut = openClient(lab, family, 7001);
      const before = performance.now();
      await assertRefused(shut, datagrams);
      assert.ok(performance.now() - before < 800, `after ${performance.now() - before} ms`);
      // What comes later of it does not slip through.
      await assertRefused(shut, [new Uint8Array(100).fill(0x40)]);
      assert.deepEqual(await receiveAll(blocked, 100), []);
    }
    assert.deepEqual((await dataplane.sessions()).map(({ ruleName }) => ruleName), ["open", "open"]);
  });
}

labTest("A datagram that is no Initial does not wait where names decide", {}, async (lab) => {
  const dataplane = await startNamed(lab);
  const others = notInitials();
  for (const other of others) {
    const server = openServer(lab, 4);
    const client = openClient(lab, 4);
    const before = performance.now();
    client.send(other);
    assert.deepEqual((await server.receive()).data.length, other.length);
    assert.ok(performance.now() - before < 800, `after ${performance.now() - before} ms`);
    server.close();
  }
  assert.equal((await dataplane.count()).udpLive, others.length, "they went past the proxy");
});

labTest("A hello that never becomes whole goes on after a second, as without a name", {}, async (lab) => {
  await startNamed(lab);
  await assertWaitsASecond(lab);
});

labTest("A hello that is larger than what may wait goes on at once", {}, async (lab) => {
  const [first] = recorded("quic-chromium");
  const dataplane = await startNamed(lab);
  const server = openServer(lab, 4);
  const client = openClient(lab, 4);
  for (let i = 0; i < 40; i++) client.send(first);
  const received = await receiveAll(server, 300);
  assert.ok(received.length >= 16, `${received.length} of 40`);
  assert.equal((await dataplane.count()).udpLive, 1, "it went past the proxy");
});
