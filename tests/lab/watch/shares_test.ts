/**
 * Somebody in the LAN has hundreds of QUIC hellos wait that never become whole: the rules hold for the names
 * of others all the same, and what they may reach answers in its usual time.
 *
 * ```
 *   c0 10.77.1.2  a client ──────── router ── tproxy run ──── server :7000, :7001
 *   c0 10.77.1.3  another, with halves of hellos ───────────────────► :7002
 * ```
 */
import assert from "node:assert/strict";
import { delay } from "../../laboratory/machine/wait.ts";
import { assertRefused, receiveAll } from "../../laboratory/names/quic.ts";
import { openClient, openServer, startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { labTest } from "../../laboratory/register.ts";
import { recorded } from "../../unit/sniff/recordings.ts";

const SHUT = 7001;
const ROUNDS = 6;
/** Less than the second that a name may take. */
const USUAL_MS = 900;
const RULES = [
  { name: "shut", domains: ["recorded.example"], ports: [SHUT], action: "block" },
  { name: "other", domains: ["other.example"], action: "block" },
];

/** Python: so many flows for each line that it reads, of so many datagrams. */
const OTHER = `import socket, sys
half, flows, datagrams, sent = bytes.fromhex(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), 0
for line in sys.stdin:
    for _ in range(flows):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("10.77.1.3", 1024 + sent)); sent += 1
        for _ in range(datagrams): s.sendto(half, ("203.0.113.2", 7002))
        s.close()
    print(f"sent {sent}", flush=True)`;

/** More than there is room for of what a worker has wait: flows, or their datagrams. */
const FLOODS = { flows: [400, 1], datagrams: [90, 14] } as const;

for (const [how, otherwise] of [["watched", "bypass"], ["relayed", "direct"]] as const) {
  for (const [what, flood] of Object.entries(FLOODS)) {
    labTest(
      `QUIC that is ${how}: ${what} of one client cost no other its name`,
      { programs: ["nft", "python3"], forwarding: true },
      async (lab) => {
        await lab.client.ip("addr add 10.77.1.3/24 dev c0");
        // Each round's refusals come.
        await lab.router.writeSysctl({ "net.ipv4.icmp_ratelimit": 0, "net.ipv4.icmp_ratemask": 0 });
        const proxy = await startUdpProxy(lab, {
          listener: { workers: 1 },
          rules: RULES,
          default: otherwise,
        });
        const [open, shut] = [openServer(lab, 4), openServer(lab, 4, SHUT)];
        const [half] = recorded("quic-chromium");
        const other = await lab.client.start(
          ["python3", "-c", OTHER, half.toHex(), ...flood.map(String)],
        );
        for (let round = 1; round <= ROUNDS; round++) {
          await other.write("more\n");
          await other.waitForOutput(`sent ${flood[0] * round}\n`);
          await delay(200); // for the worker to have read them
          const hello = recorded(round % 2 === 0 ? "quic-chromium" : "quic-ngtcp2");
          await assertRefused(openClient(lab, 4, SHUT), hello);
          const before = performance.now();
          const client = openClient(lab, 4);
          for (const datagram of hello) client.send(datagram);
          for (const datagram of hello) {
            assert.ok((await open.receive()).data.join() === datagram.join(), "another datagram came");
          }
          const took = performance.now() - before;
          assert.ok(took < USUAL_MS, `after ${took} ms`);
        }
        assert.equal((await receiveAll(shut, 100)).length, 0, proxy.log);
      },
    );
  }
}
