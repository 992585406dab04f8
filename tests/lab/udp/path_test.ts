/**
 * UDP's way through the router: NAT, hostile sysctls, TOS, daemons on the same ports, interfaces that come
 * and go.
 */
import assert from "node:assert/strict";
import { startCapture } from "../../laboratory/network/capture.ts";
import { dig, startDnsmasq } from "../../laboratory/programs/dnsmasq.ts";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { labTest } from "../../laboratory/register.ts";
import { exchange, openClient, openServer, startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { at } from "../../laboratory/network/udp_socket.ts";

for (const tailscaleSysctls of [false, true]) {
  const sysctls = tailscaleSysctls ? ", src_valid_mark=1, rp_filter=1" : "";
  labTest(`run leaks no private address of UDP behind masquerade${sysctls}`, {
    programs: ["tcpdump"],
    masquerade: true,
    tailscaleSysctls,
  }, async (lab) => {
    const leaks = await startCapture(lab.server, {
      link: "s0",
      filter: `host ${ADDRESSES[4].client} or host ${ADDRESSES[6].client}`,
    });
    for (const source of ["client", "client-address", "router"] as const) {
      const proxy = await startUdpProxy(lab, { source });
      for (const family of [4, 6] as const) {
        const server = openServer(lab, family);
        const client = openClient(lab, family);
        for (let i = 0; i < 3; i++) {
          const seen = await exchange(client, server);
          const port = source === "client" ? client.port : Number(/\d+$/.exec(seen)![0]);
          assert.equal(seen, at(ADDRESSES[family].wan, port), `source: ${source}`);
        }
        server.close();
      }
      await proxy.program.stop();
    }
    assert.deepEqual(await leaks.stop(), []);
  });
}

labTest("run relays UDP with src_valid_mark=1 and rp_filter=1", { tailscaleSysctls: true }, async (lab) => {
  await startUdpProxy(lab);
  for (const family of [4, 6] as const) {
    const server = openServer(lab, family);
    for (let i = 0; i < 5; i++) {
      const client = openClient(lab, family);
      assert.equal(await exchange(client, server), client.local);
    }
  }
});

labTest("run lives beside a DNS server on the router's wildcard addresses", {
  programs: ["dnsmasq", "dig", "ss"],
}, async (lab) => {
  await startDnsmasq(lab.router, { "name.test": { 4: "192.0.2.1", 6: "2001:db8::1" } });
  await startDnsmasq(lab.server, { "name.test": { 4: "192.0.2.2", 6: "2001:db8::2" } });
  const { stdout } = await lab.router.run(["ss", "-Huln", "sport = :53"]);
  assert.deepEqual(stdout.match(/(?<=\s)\S+:53\b/g)?.sort(), ["0.0.0.0:53", "[::]:53"]);
  await startUdpProxy(lab);
  for (const family of [4, 6] as const) {
    const { lan, server } = ADDRESSES[family];
    // Each question once: an answer that went astray is missed.
    const [router, beyond] = await Promise.all([
      dig(lab.client, { server: lan, name: "name.test", type: family === 4 ? "A" : "AAAA", times: 200 }),
      dig(lab.client, { server, name: "name.test", type: family === 4 ? "A" : "AAAA", times: 200 }),
    ]);
    const [ofRouter, ofServer] = family === 4 ? ["192.0.2.1", "192.0.2.2"] : ["2001:db8::1", "2001:db8::2"];
    assert.deepEqual(router, Array(200).fill(ofRouter));
    assert.deepEqual(beyond, Array(200).fill(ofServer));
  }
});

labTest("run lives beside a socket that shares its port with nobody", {}, async (lab) => {
  // Without SO_REUSEADDR: nobody else can bind to port 123 of any address.
  const daemons = {
    4: lab.router.udp({ family: 4, bind: "0.0.0.0:123" }),
    6: lab.router.udp({ family: 6, bind: "[::]:124" }),
  };
  await startUdpProxy(lab);
  for (const [family, port] of [[4, 123], [6, 124]] as const) {
    const server = openServer(lab, family, port);
    const client = openClient(lab, family, port);
    const own = lab.client.udp({ family, connect: at(ADDRESSES[family].lan, port) });
    for (let i = 0; i < 20; i++) {
      await exchange(client, server);
      await exchange(own, daemons[family]);
    }
    assert.equal(daemons[family].poll(), undefined, "the daemon got what was not for it");
  }
});

for (const tos of ["carry", "clear"] as const) {
  labTest(
    `run with udp.tos: ${tos} treats the TOS byte so, both ways`,
    { programs: ["tcpdump"] },
    async (lab) => {
      await startUdpProxy(lab, { udp: { tos } });
      for (const family of [4, 6] as const) {
        const { client: clientAddress, server: serverAddress } = ADDRESSES[family];
        const filter = "udp and port 7000 and src host";
        const there = await startCapture(lab.server, {
          link: "s0",
          filter: `${filter} ${clientAddress}`,
          verbose: true,
        });
        const back = await startCapture(lab.client, {
          link: "c0",
          filter: `${filter} ${serverAddress}`,
          verbose: true,
        });
        const server = openServer(lab, family);
        server.setTos(0x28);
        const client = openClient(lab, family);
        for (const byte of [0xb8, 0, 0x48]) {
          client.setTos(byte);
          await exchange(client, server);
        }
        const tosOf = (line: string) => Number(/\((?:tos|class) (0x[0-9a-f]+)/.exec(line)?.[1] ?? 0);
        assert.deepEqual((await there.stop()).map(tosOf), tos === "carry" ? [0xb8, 0, 0x48] : [0, 0, 0]);
        assert.deepEqual((await back.stop()).map(tosOf), tos === "carry" ? [0x28, 0x28, 0x28] : [0, 0, 0]);
      }
    },
  );
}
