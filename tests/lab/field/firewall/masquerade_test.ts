/** Source NAT by whatever the administrator looks at (field case 7). */
import { fieldTest } from "../../../laboratory/field/field.ts";
import { both, every } from "../../../laboratory/field/probes.ts";
import { chain, table } from "../../../laboratory/field/rules.ts";

/** A nat chain of postrouting. */
function post(rules: string): string {
  return table("nat", chain("nat", "postrouting srcnat", rules));
}

fieldTest("masquerade by the outgoing interface keeps address and port", {
  masquerade: true,
  probes: every("server", 80, "server sees wan", { bindPort: 40_123 }),
});

fieldTest("masquerade by the incoming interface", {
  router: post("iifname r0 oifname r1 masquerade"),
  probes: [
    ...every("server", 80, "server sees wan"),
    ...every("server", 80, "server sees guest", { from: "guest" }),
  ],
});

fieldTest("masquerade by a mark of the forward chain", {
  router: `${post("meta mark & 0xff0000 == 0x40000 masquerade")}
${table("fw", chain("filter", "forward 0", "iifname r0 meta mark set meta mark & 0xff00ffff | 0x40000"))}`,
  probes: [
    ...every("server", 80, "server sees wan"),
    ...every("server", 80, "server sees guest", { from: "guest" }),
  ],
});

fieldTest("masquerade to ports of a range", {
  router: post("oifname r1 meta l4proto { tcp, udp } masquerade to :50000-50010"),
  probes: every("server", 80, "server sees wan, another port"),
});

fieldTest("an address of its own for one host", {
  router: `ip addr add 203.0.113.9/24 dev r1
${post("ip saddr 10.77.1.2 oifname r1 snat ip to 203.0.113.9; ip saddr 10.77.4.2 oifname r1 masquerade")}`,
  probes: [
    ...both("server", 80, "server sees 203.0.113.9"),
    ...both("server", 80, "server sees wan", { from: "guest" }),
  ],
});

fieldTest("source NAT to an address that the router does not hold", {
  before: ({ lab }) => lab.server.ip("route add 198.51.100.0/24 via 203.0.113.1"),
  router: post("ip saddr 10.77.1.2 oifname r1 snat ip to 198.51.100.7"),
  probes: both("server", 80, "server sees 198.51.100.7"),
});

fieldTest("masquerade of some ports alone", {
  router: post("oifname r1 th dport 443 masquerade"),
  probes: [...every("server", 443, "server sees wan"), ...every("server", 80, "server sees client")],
});
