/** A LAN bridge with and without br_netfilter (F2), and a bridge's own traffic (field case 30). */
import { lanBridge } from "../../laboratory/field/bridge.ts";
import { fieldTest } from "../../laboratory/field/field.ts";
import { every, tcp } from "../../laboratory/field/probes.ts";

const CONFIG = { intercept: { interfaces: ["br-lan"] } };

for (const filter of [0, 1] as const) {
  for (const masquerade of [false, true]) {
    const seen = masquerade ? "wan" : "client";
    fieldTest(`a LAN bridge, bridge-nf-call-iptables=${filter}${masquerade ? ", behind masquerade" : ""}`, {
      masquerade,
      config: CONFIG,
      router: lanBridge(filter),
      probes: [
        ...every("server", 80, `server sees ${seen}`),
        ...every("server", 443, `server sees ${seen}`),
        ...every("server", 9, "refused"),
      ],
    });
  }
}

fieldTest("hosts of one bridge talk past the router", {
  config: CONFIG,
  router: `${lanBridge(1)}
ip addr flush dev r4
ip link set r4 master br-lan
ip -n $guest addr add 10.77.1.3/24 dev guest0
ip -n $guest addr add fd77:1::3/64 dev guest0 nodad`,
  probes: [
    ...every("server", 80, "server sees client"),
    tcp("10.77.1.3", 80, "guest sees client"),
    tcp("fd77:1::3", 80, "guest sees client", { family: 6 }),
  ],
});
