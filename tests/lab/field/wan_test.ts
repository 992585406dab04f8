/** The WAN comes late, changes, or has no default route at first (field case 5, F5). */
import { fieldTest } from "../../laboratory/field/field.ts";
import { every } from "../../laboratory/field/probes.ts";

const SETTLED = "sleep 1.5";
const AUTO = { intercept: { interfaces: "auto" } };

fieldTest("a new WAN: LTE comes up, and the default route moves to it", {
  config: AUTO,
  later: `ip link add wwan0 type veth peer name w0 netns $other
ip addr add 198.19.0.1/24 dev wwan0
ip addr add 2001:db8:79::1/64 dev wwan0 nodad
ip link set wwan0 up
ip -n $other addr add 198.19.0.2/24 dev w0
ip -n $other addr add 2001:db8:79::2/64 dev w0 nodad
ip -n $other link set w0 up
nft 'table inet nat { chain post { type nat hook postrouting priority srcnat; oifname wwan0 masquerade; }
}'
ip route replace default via 198.19.0.2
ip -6 route replace default via 2001:db8:79::2
${SETTLED}`,
  probes: every("anycast", 80, { 4: "other sees 198.19.0.1", 6: "other sees 2001:db8:79::1" }),
});

fieldTest("a PPPoE session that comes after the proxy", {
  before: async ({ lab }) =>
    await lab.router.ip("route del default\nroute del default dev r1").catch(() => {}),
  later: `ip route replace default via 203.0.113.2
ip -6 route replace default via 2001:db8:77::2
${SETTLED}`,
  probes: [
    ...every("anycast", 80, "server sees client"),
    ...every("client", 80, "client sees server", { from: "server" }),
  ],
});

fieldTest("the WAN goes, and comes again", {
  later: `ip link set r1 down
sleep 0.3
ip link set r1 up
ip -6 addr replace 2001:db8:77::1/64 dev r1 nodad
ip route replace default via 203.0.113.2
ip -6 route replace default via 2001:db8:77::2
${SETTLED}`,
  probes: every("server", 80, "server sees client"),
});

fieldTest("the default route moves to the other WAN", {
  later: `ip route replace default via 198.18.0.2
ip -6 route replace default via 2001:db8:78::2
${SETTLED}`,
  probes: every("anycast", 80, "other sees client"),
});
