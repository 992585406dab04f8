/** Rules that block mean every packet of a flow, not its bare SYN alone (F13). */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { delay } from "../../laboratory/machine/wait.ts";
import { buildFrame } from "../../laboratory/network/packets.ts";
import { RawLink } from "../../laboratory/network/raw_link.ts";
import { startProxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { parseIp } from "../../../src/net/ip.ts";

const [FIN, SYN, PSH, ACK, URG] = [1, 2, 8, 16, 32];
const PACKETS = { "SYN, FIN": SYN | FIN, ACK, "no flag": 0, "FIN, PSH, URG": FIN | PSH | URG, SYN };
const [BLOCKED, FREE] = [81, 82];

labTest("a rule that blocks lets no packet of any flags pass", { forwarding: true }, async (lab) => {
  await lab.client.ip("link set c0 address 02:00:00:00:00:02");
  await lab.router.ip("link set r0 address 02:00:00:00:00:01");
  await lab.server.nft(`table inet watched {
    set seen { type inet_service . inet_service; flags dynamic; size 64; }
    chain incoming {
      type filter hook prerouting priority -290;
      tcp dport { ${BLOCKED}, ${FREE} } add @seen { tcp dport . tcp sport }
    }
  }`);
  await startProxy(lab, { config: { rules: [{ ports: [BLOCKED], action: "block" }], default: "bypass" } });
  using link = new RawLink(lab.client, "c0");
  for (const family of [4, 6] as const) {
    for (const flags of Object.values(PACKETS)) {
      for (const destinationPort of [BLOCKED, FREE]) {
        link.send(buildFrame({
          source: parseIp(ADDRESSES[family].client)!,
          destination: parseIp(ADDRESSES[family].server)!,
          // It tells the flags.
          sourcePort: 5_000 + flags,
          destinationPort,
          kind: "ack",
          flags,
          sourceMac: Uint8Array.of(2, 0, 0, 0, 0, 2),
          destinationMac: Uint8Array.of(2, 0, 0, 0, 0, 1),
        }));
      }
    }
  }
  await delay(300);
  const { stdout } = await lab.server.run(["nft", "list", "set", "inet", "watched", "seen"]);
  const seen = stdout.match(/\b8[12] \. /g) ?? [];
  assert.equal(seen.filter((text) => text.startsWith(`${BLOCKED}`)).length, 0, stdout);
  assert.equal(seen.filter((text) => text.startsWith(`${FREE}`)).length, Object.keys(PACKETS).length, stdout);
});
