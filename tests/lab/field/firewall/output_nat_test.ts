/** Output chains that send what the router's own programs dial elsewhere, as to a resolver of its own. */
import { fieldTest } from "../../../laboratory/field/field.ts";
import { every } from "../../../laboratory/field/probes.ts";

fieldTest("output sends the router's own flows elsewhere", {
  router: `nft -f - <<END
table inet own {
  chain output {
    type nat hook output priority -100; policy accept;
    oif lo accept
    tcp dport { 80, 443 } redirect to :9
    udp dport 53 redirect to :9
  }
}
END`,
  probes: [
    ...every("server", 80, "server sees client"),
    ...every("server", 53, "server sees guest", { from: "guest" }),
  ],
});
