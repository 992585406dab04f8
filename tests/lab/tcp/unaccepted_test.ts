/** Packets that the kernel sends to clients whose connections nobody has accepted yet. */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { serve } from "../../laboratory/network/sockets.ts";
import { firstPacketsAsk, startProxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

const NEEDS = {
  programs: ["socat", "python3", "nft", "conntrack"],
  // Else the upstream leg has the same addresses and ports, and the flow is known already.
  masquerade: true,
  forwarding: true,
  ...firstPacketsAsk() ? {} : { obstacle: "flows are taken early" },
};

/** Its last ACK of the handshake comes with its first data, so that the kernel acknowledges those at once. */
const CLIENT = `
import socket, sys, time
for i in range(10):
    s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
    s.settimeout(5)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
    s.connect((sys.argv[1], 7000))
    time.sleep(0.08)
    s.sendall(b"x" * 3000)
    got = b""
    while len(got) < 3000: got += s.recv(4096)
    s.close()
`;

for (const family of [4, 6] as const) {
  labTest(
    `IPv${family}: what is not accepted yet stays in the zone of clients' legs while a reload makes the rules anew`,
    NEEDS,
    async (lab) => {
      await serve(lab, 7000, "cat");
      await startProxy(lab);
      // As a reload does, whose table begins with empty sets.
      const flush = `nft flush set inet transparent_proxy answered_ipv${family}`;
      const flusher = await lab.router.start(["sh", "-c", `while ${flush}; do :; done`]);
      const { server, client } = ADDRESSES[family];
      await lab.client.run(["python3", "-c", CLIENT, server]);
      assert.ok(flusher.running, flusher.output);
      await flusher.stop("SIGKILL");
      // One of them would meet the next SYN from that port, which then goes past the proxy, without NAT.
      const { stdout } = await lab.router.run(["conntrack", "-L", "-f", `ipv${family}`, "-p", "tcp"]);
      const begins = (line: string) => /src=(\S+) dst=(\S+) /.exec(line)?.slice(1).join();
      const flows = stdout.split("\n");
      assert.ok(flows.some((line) => begins(line) === `${client},${server}`), stdout);
      // Forwarded past the proxy, a flow would have no leg of the client's in a zone of its own.
      assert.ok(flows.some((line) => line.includes("zone=50080")), stdout);
      assert.deepEqual(flows.filter((line) => begins(line) === `${server},${client}`), []);
    },
  );
}
