/** SYN cookies and floods of SYNs (field case 17, F7). */
import { fieldTest } from "../../laboratory/field/field.ts";
import { FIELD } from "../../laboratory/field/places.ts";
import { every } from "../../laboratory/field/probes.ts";
import { buildFrame } from "../../laboratory/network/packets.ts";
import { RawLink } from "../../laboratory/network/raw_link.ts";
import { parseIp } from "../../../src/net/ip.ts";

const FORGED = 6_000;

fieldTest("tcp_syncookies=2 on the router", {
  router: "sysctl -qw net.ipv4.tcp_syncookies=2",
  probes: [
    ...every("server", 80, "server sees client"),
    ...every("server", 9, "refused"),
    ...every("server", 443, "server sees guest", { from: "guest" }),
  ],
});

fieldTest("a flood of SYNs with forged sources", {
  before: ({ lab }) =>
    Promise.all([
      lab.client.ip("link set c0 address 02:00:00:00:00:02"),
      lab.router.ip("link set r0 address 02:00:00:00:00:01\nroute add 10.88.0.0/16 via 10.77.1.2"),
    ]),
  probes: [
    {
      name: `${FORGED} SYNs`,
      expected: "sent",
      run({ client }) {
        using link = new RawLink(client, "c0");
        for (let i = 0; i < FORGED; i++) {
          link.send(buildFrame({
            source: parseIp(`10.88.${i >> 8}.${i & 255}`)!,
            destination: parseIp(FIELD.anycast[4])!,
            sourcePort: 1_024 + i,
            destinationPort: 443,
            kind: "syn",
            sourceMac: Uint8Array.of(2, 0, 0, 0, 0, 2),
            destinationMac: Uint8Array.of(2, 0, 0, 0, 0, 1),
          }));
        }
        return Promise.resolve("sent");
      },
    },
    ...every("server", 80, "server sees client"),
    ...every("server", 443, "server sees guest", { from: "guest" }),
  ],
});
