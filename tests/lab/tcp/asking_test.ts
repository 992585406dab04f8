/** The first packet asks: what becomes of TCP connections whose SYN passes the router's own rules first. */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { until } from "../../laboratory/machine/wait.ts";
import { startCapture } from "../../laboratory/network/capture.ts";
import { attempt } from "../../laboratory/network/dial.ts";
import { serve, socatServer } from "../../laboratory/network/sockets.ts";
import { startDataplaneProgram } from "../../laboratory/proxy/dataplane.ts";
import { labTest } from "../../laboratory/register.ts";

const PROGRAMS = ["socat", "ss", "ip", "nft", "python3", "tcpdump"];

for (const family of [4, 6] as const) {
  labTest(`IPv${family}: a port that the client uses again, after the server has closed first, asks again`, {
    programs: PROGRAMS,
  }, async (lab) => {
    await serve(lab, 7000, "echo said");
    const dataplane = await startDataplaneProgram(lab);
    for (let i = 0; i < 3; i++) {
      const { told, ms, heard } = await attempt(lab, { family, port: 7000, source: 41000 });
      assert.deepEqual([told, heard], ["connected", "said\n"]);
      assert.ok(ms < 500, `after ${ms} ms`);
    }
    assert.equal((await dataplane.count()).counters.questions, 3);
  });

  labTest(`IPv${family}: the server sees the client's address and port, whichever worker is asked`, {
    programs: PROGRAMS,
  }, async (lab) => {
    await serve(lab, 7000, "echo $SOCAT_PEERADDR $SOCAT_PEERPORT; cat");
    const dataplane = await startDataplaneProgram(lab);
    for (let i = 0; i < 8; i++) {
      const source = 40000 + i * 8;
      const argv = ["socat", "-t2", "-", `${socatServer(family, 7000)},sourceport=${source}`];
      const { stdout } = await lab.client.run(argv, { input: "hello\n" });
      const [peer, echo] = stdout.trim().split("\n");
      assert.ok(peer.endsWith(` ${source}`), peer);
      assert.equal(echo, "hello");
    }
    const { counters } = await dataplane.count();
    assert.deepEqual([counters.questions, counters.connected, counters.accepted, counters.unasked], [
      8,
      8,
      8,
      0,
    ]);
  });

  labTest(`IPv${family}: every packet to the client is of the flow that the client began`, {
    programs: PROGRAMS,
    masquerade: true,
  }, async (lab) => {
    await serve(lab, 7000, "cat");
    await lab.router.nft(`table inet strict { chain out { type filter hook output priority 0; policy accept;
      oif "r0" meta l4proto tcp ct state != established counter comment "strays"; }; }`);
    await startDataplaneProgram(lab);
    // The client speaks at once: the kernel acknowledges that before the connection is accepted.
    const speak = `import socket, sys
for i in range(20):
    s = socket.create_connection((sys.argv[1], 7000)); s.sendall(b"hello"); assert s.recv(5) == b"hello"; s.close()`;
    await lab.client.run(["python3", "-c", speak, ADDRESSES[family].server]);
    const { stdout } = await lab.router.run(["nft", "list", "chain", "inet", "strict", "out"]);
    assert.match(stdout, /counter packets 0 bytes 0 comment "strays"/);
  });

  labTest(
    `IPv${family}: NAT is as forwarding would have it`,
    { programs: PROGRAMS, masquerade: true },
    async (lab) => {
      await serve(lab, 7001, "echo $SOCAT_PEERADDR $SOCAT_PEERPORT");
      const { server } = ADDRESSES[family];
      const ip = family === 4 ? "ip" : "ip6";
      const elsewhere = family === 4 ? "192.0.2.9" : "2001:db8:9::9";
      await lab.router.nft(`table inet forced { chain pre { type nat hook prerouting priority dstnat;
      iifname "r0" ${ip} daddr ${elsewhere} tcp dport 53 dnat ${ip} to ${
        family === 4 ? server : `[${server}]`
      }:7001; }; }`);
      const dataplane = await startDataplaneProgram(lab);
      const { told, heard } = await attempt(lab, { to: elsewhere, port: 53, source: 41000 });
      assert.equal(told, "connected");
      const seen = heard.trim().replace(/^.*ffff:/, "");
      assert.ok(seen.endsWith(" 41000"), `the port is kept: ${seen}`);
      assert.ok(!seen.includes("77:1::2") && !seen.startsWith("10."), `no address of the LAN: ${seen}`);
      assert.equal((await dataplane.count()).counters.connected, 1);
    },
  );

  labTest(
    `IPv${family}: a refusal, an ICMP error and a silence are the server's own`,
    { programs: PROGRAMS },
    async (lab) => {
      await lab.server.nft(`table inet fw { chain in { type filter hook input priority 0;
      tcp dport 7101 reject with icmpx host-unreachable;
      tcp dport 7102 reject with icmpx no-route;
      tcp dport 7103 reject with icmpx admin-prohibited;
      tcp dport 7104 reject with icmpx port-unreachable;
      tcp dport 7105 drop; }; }`);
      const ports = [7100, 7101, 7102, 7103, 7104, 7105];
      await lab.router.nft(`table inet plain { chain f { type filter hook forward priority 0; }; }`);
      const dataplane = await startDataplaneProgram(lab);
      const told: string[] = [];
      const capture = await startCapture(lab.client, { link: "c0", filter: "icmp or icmp6" });
      for (const port of ports) {
        const one = await attempt(lab, { family, port, seconds: 1.5 });
        told.push(one.told);
        assert.ok(port === 7105 || one.ms < 300, `${port} is told at once: ${one.ms}`);
      }
      const v6 = family === 6;
      assert.deepEqual(told, [
        "Connection refused",
        "No route to host",
        "Network is unreachable",
        v6 ? "Permission denied" : "No route to host",
        "Connection refused",
        "TimeoutError",
      ]);
      const errors = (await capture.stop()).join("\n");
      assert.match(errors, /prohibited/, "the code of the ICMP error");
      assert.match(errors, /port 7104/);
      assert.equal((await dataplane.count()).counters.questionsRefused, 5);
      await until(async () => (await dataplane.count()).live === 0, {
        what: "the silent dial to end",
        timeoutMs: 9000,
      });
    },
  );
}
