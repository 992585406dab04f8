/** Output chains that drop (field case 18). */
import { fieldTest } from "../../../laboratory/field/field.ts";
import { both, every } from "../../../laboratory/field/probes.ts";

for (const verdict of ["drop", "reject"] as const) {
  fieldTest(`input and output ${verdict} what they do not know`, {
    router: `nft -f - <<END
table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    iif lo accept
    ct state established,related accept
    meta l4proto { icmp, ipv6-icmp } accept
  }
  chain output {
    type filter hook output priority 0; policy ${verdict === "drop" ? "drop" : "accept"};
    oif lo accept
    ct state established,related accept
    meta l4proto { icmp, ipv6-icmp } accept
    udp dport { 53, 123 } accept
    ${verdict === "drop" ? "" : "reject"}
  }
}
END`,
    probes: [
      ...every("server", 80, "server sees client"),
      ...every("server", 53, "server sees guest", { from: "guest" }),
      ...both("server", 9, "refused"),
    ],
  });
}

fieldTest("output lets no program out but one user's", {
  programs: ["iptables"],
  router: `iptables -P OUTPUT DROP
iptables -A OUTPUT -o lo -j ACCEPT
iptables -A OUTPUT -m conntrack --ctstate INVALID -j DROP
iptables -A OUTPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
iptables -A OUTPUT -m owner --uid-owner 1234 -j ACCEPT`,
  probes: both("server", 80, "server sees client"),
});
