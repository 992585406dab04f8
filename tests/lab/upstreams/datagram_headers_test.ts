/** UDP to servers that are told the client by a PROXY header before each datagram. */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { openClient, openServer } from "../../laboratory/network/udp_peers.ts";
import { at } from "../../laboratory/network/udp_socket.ts";
import { labTest } from "../../laboratory/register.ts";
import { startDnsdist, startRecursor, TOLD } from "../../laboratory/upstreams/names.ts";
import { startRuled, startThrough, through } from "../../laboratory/upstreams/through.ts";

const PORT = 5300;

const JUDGES = [["dnsdist", startDnsdist], ["pdns_recursor", startRecursor]] as const;

for (const [program, start] of JUDGES) {
  labTest(`Queries reach ${program} with the client's address and port, of both families`, {
    programs: [program, "dig"],
  }, async (lab) => {
    await start(lab, PORT);
    const dataplane = await startThrough(lab, { type: "forward", port: PORT, proxyProtocol: "v2" });
    for (const proxy of [4, 6] as const) {
      await dataplane.adopt(
        through(lab, { type: "forward", port: PORT, proxyProtocol: "v2", family: proxy }),
      );
      for (const family of [4, 6] as const) {
        const { client, server } = ADDRESSES[family];
        for (const port of [53, 7000]) {
          const from = `${client}#${port === 53 ? 4053 : 4700 + proxy}`;
          const argv = ["dig", "+short", "+tries=1", "-b", from, `@${server}`, "-p", `${port}`, TOLD, "TXT"];
          const { stdout } = await lab.client.run(argv);
          assert.equal(stdout.trim(), `"${at(client, Number(from.split("#")[1]))} ${at(server, port)}"`);
        }
      }
    }
  });
}

labTest("Every flow to a server is told apart from the others of its client", {}, async (lab) => {
  await startThrough(lab, { type: "forward", port: PORT });
  const server = openServer(lab, 4, PORT);
  const client = lab.client.udp({ family: 4 });
  for (const round of [1, 2]) {
    for (const port of [7000, 7001, 7002]) {
      client.send(`to ${port}`, at(ADDRESSES[4].server, port));
      const { text, from } = await server.receive();
      assert.equal(text, `to ${port}`, "no header");
      server.send(`from ${port} in round ${round}`, from);
      const answer = await client.receive();
      assert.deepEqual([answer.text, answer.from], [
        `from ${port} in round ${round}`,
        at(ADDRESSES[4].server, port),
      ]);
    }
  }
});

labTest("A server that is not there refuses as it would without a proxy", {}, async (lab) => {
  await startThrough(lab, { type: "forward", port: PORT });
  const client = openClient(lab, 4);
  client.send("whither");
  await assert.rejects(client.receive(), /ECONNREFUSED/);
});

labTest("The kernel refuses what its upstream cannot carry, in both families", {}, async (lab) => {
  const server = `${ADDRESSES[4].server}:3128`;
  const dataplane = await startRuled(lab, {
    upstreams: {
      parent: { type: "http-connect", address: server },
      mute: { type: "socks5", address: server, udp: false },
      four: { type: "socks5", address: server, families: ["ipv4"] },
    },
    rules: [
      { name: "parent", ports: [7000], action: "proxy", upstream: "parent" },
      { name: "mute", ports: [7001], action: "proxy", upstream: "mute" },
      { name: "four", ports: [7002], action: "proxy", upstream: "four" },
    ],
  });
  for (const family of [4, 6] as const) {
    for (const port of [7000, 7001, ...family === 6 ? [7002] : []]) {
      const client = openClient(lab, family, port);
      const before = performance.now();
      client.send("whither");
      await assert.rejects(client.receive(), /ECONNREFUSED/, `IPv${family}, port ${port}`);
      assert.ok(performance.now() - before < 500, `after ${performance.now() - before} ms`);
    }
  }
  const { counters } = await dataplane.count();
  assert.deepEqual([counters.questions, counters.udpRefused], [0, 0], "it came to the proxy");
});
