/** Connections follow at upgrades on routers as people have them: firewalls, containers, bridges, NAT. */
import { roads, upgradeFieldTest } from "../../laboratory/upgrade/field_upgrades.ts";
import { bridge } from "../../laboratory/field/routers/bridge.ts";
import { DEBIAN, FIREWALLD, FW4, UFW } from "../../laboratory/field/routers/firewalls.ts";
import { DOCKER, NIXOS } from "../../laboratory/field/routers/hosts.ts";
import { chain, table } from "../../laboratory/field/rules.ts";

const BOTH = ["iptables", "ip6tables"];
const TO_SERVER = { to: "server", host: "server", port: 80 } as const;

upgradeFieldTest("fw4", { router: FW4, roads: roads(TO_SERVER, "server sees wan") });

upgradeFieldTest("firewalld", {
  router: FIREWALLD,
  roads: roads(TO_SERVER, { 4: "server sees wan", 6: "server sees client" }),
});

upgradeFieldTest("ufw", { programs: BOTH, router: UFW, roads: roads(TO_SERVER, "server sees wan") });

upgradeFieldTest("Debian with iptables", {
  programs: BOTH,
  router: DEBIAN,
  roads: roads(TO_SERVER, "server sees wan"),
});

upgradeFieldTest("NixOS", {
  router: NIXOS,
  roads: roads(TO_SERVER, { 4: "server sees wan", 6: "server sees client" }),
});

upgradeFieldTest("Docker", {
  programs: ["iptables"],
  config: { intercept: { interfaces: ["r0", "docker0"] } },
  router: DOCKER,
  roads: roads({ ...TO_SERVER, from: "guest" }, { 4: "server sees wan", 6: "server sees guest" }),
});

for (const filter of [0, 1] as const) {
  upgradeFieldTest(`a LAN bridge behind masquerade, bridge-nf-call-iptables=${filter}`, {
    masquerade: true,
    config: { intercept: { interfaces: ["br-lan"] } },
    router: bridge(filter),
    roads: roads(TO_SERVER, "server sees wan"),
  });
}

const STANDING = "policy drop; ct state established,related accept; meta l4proto ipv6-icmp accept";

upgradeFieldTest("input, forward and output at drop, and DSCP that the forward chain sets", {
  router: table(
    "strict",
    chain("filter", "input 0", STANDING),
    chain("filter", "forward 0", `${STANDING}; ip dscp set af21; iifname r0 oifname r1 accept`),
    chain("filter", "output 0", STANDING),
    chain("nat", "postrouting srcnat", "oifname r1 masquerade"),
  ),
  roads: roads(TO_SERVER, "server sees wan"),
});

upgradeFieldTest("an address that is translated to the server's", {
  router: table(
    "forced",
    chain(
      "nat",
      "prerouting dstnat",
      "iifname r0 ip daddr 192.0.2.66 dnat ip to 203.0.113.2; " +
        "iifname r0 ip6 daddr 2001:db8:99::66 dnat ip6 to 2001:db8:77::2",
    ),
  ),
  roads: roads({ ...TO_SERVER, to: "nowhere", own: "server" }, "server sees client"),
});
