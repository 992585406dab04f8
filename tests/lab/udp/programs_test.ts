/** Programs that people use over UDP, through the proxy: iperf3, DTLS, QUIC. DNS is in udp_path_test.ts. */
import assert from "node:assert/strict";
import { makeCertificate } from "../../laboratory/programs/certificate.ts";
import { quicCommand } from "../../laboratory/programs/script.ts";
import { ADDRESSES } from "../../laboratory/lab.ts";
import type { Namespace } from "../../laboratory/namespace.ts";
import { labTest } from "../../laboratory/register.ts";
import { startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { at } from "../../laboratory/network/udp_socket.ts";

const MIB = 1 << 20;

labTest("run loses nothing of iperf3's 20 Mbit/s, both ways", { programs: ["iperf3"] }, async (lab) => {
  await lab.server.start(["iperf3", "-s"], { listens: 5201 });
  await startUdpProxy(lab);
  for (const family of [4, 6] as const) {
    for (const direction of ["there", "back"]) {
      const argv = ["iperf3", "-c", ADDRESSES[family].server, "-u", "-b20M", "-t2", "-J"];
      const hosts = [direction === "there" ? lab.server : lab.client, lab.router];
      const before = await countOverruns(hosts);
      const { stdout } = await lab.client.run(direction === "there" ? argv : [...argv, "-R"]);
      const { lost_packets: lost, packets } = JSON.parse(stdout).end.sum;
      assert.ok(packets > 1_000, `${packets} datagrams`);
      // On a busy machine iperf3 or the proxy may get no processor for longer than their sockets' buffers
      // last.
      const late = await countOverruns(hosts) - before;
      const report = `IPv${family} ${direction}: ${lost} of ${packets} lost, ${late} of them at full sockets`;
      assert.ok(lost <= late && late < packets / 5, report);
    }
  }
});

/** Datagrams that found a full socket in these namespaces so far. */
async function countOverruns(namespaces: readonly Namespace[]): Promise<number> {
  let overruns = 0;
  for (const namespace of namespaces) {
    const { stdout } = await namespace.run(["cat", "/proc/net/snmp", "/proc/net/snmp6"]);
    const lines = stdout.split("\n").filter((line) => line.startsWith("Udp: "));
    const [names, values] = lines.map((line) => line.split(" "));
    const ipv6 = /^Udp6RcvbufErrors\s+(\d+)$/m.exec(stdout)![1];
    overruns += Number(values[names.indexOf("RcvbufErrors")]) + Number(ipv6);
  }
  return overruns;
}

labTest("run carries DTLS of openssl", { programs: ["openssl"] }, async (lab) => {
  const { key, certificate } = await makeCertificate(lab);
  await startUdpProxy(lab);
  for (const family of [4, 6] as const) {
    const address = ADDRESSES[family].server;
    const where = at(address, 4433);
    const serverArgv = ["openssl", "s_server", "-dtls", "-accept", where, "-key", key, "-cert", certificate];
    const server = await lab.server.start(serverArgv, { udpPort: 4433 });
    const verify = ["-CAfile", certificate, "-verify_return_error"];
    const client = await lab.client.start(["openssl", "s_client", "-dtls", "-connect", where, ...verify]);
    await client.waitForOutput("Verify return code: 0 (ok)", { timeoutMs: 15_000 });
    await client.write("from the client\n");
    await server.waitForOutput("from the client");
    await server.write("from the server\n");
    await client.waitForOutput("from the server");
    await client.stop();
    await server.stop();
  }
});

for (const source of ["client", "router"] as const) {
  labTest(
    `run carries 10 MiB of QUIC both ways, source: ${source}`,
    { programs: ["openssl"] },
    async (lab) => {
      const { key, certificate } = await makeCertificate(lab);
      await startUdpProxy(lab, { source });
      for (const family of [4, 6] as const) {
        const { server: address, client, wan } = ADDRESSES[family];
        const server = await lab.server.start(quicCommand("serve", address, certificate, key), {
          udpPort: 443,
        });
        const { stderr } = await lab.client.run(quicCommand("fetch", address, certificate, `${10 * MIB}`));
        const [sent, received] = /([0-9a-f]{64}) ([0-9a-f]{64})/.exec(stderr)!.slice(1);
        assert.equal(received, sent);
        await server.waitForOutput(`connection from ${source === "client" ? client : wan}`);
        await server.stop();
      }
    },
  );
}
