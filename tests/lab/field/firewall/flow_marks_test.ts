/** Marks that others give to flows, and ask for in what leaves and what comes back (field case 10). */
import { fieldTest } from "../../../laboratory/field/field.ts";
import { both, every } from "../../../laboratory/field/probes.ts";
import { chain, table } from "../../../laboratory/field/rules.ts";

/** Drops what comes back without the mark. */
const ANSWERS = "iifname r1 meta l4proto { tcp, udp } ct mark != 0x77 drop";

for (const masquerade of [false, true]) {
  fieldTest(`answers by the flow's mark${masquerade ? ", behind masquerade" : ""}`, {
    masquerade,
    router: table(
      "marks",
      chain("filter", "prerouting mangle", `iifname r0 ct state new ct mark set 0x77\n${ANSWERS}`),
    ),
    probes: every("server", 80, masquerade ? "server sees wan" : "server sees client", { anyPort: true }),
  });
}

fieldTest("what leaves by the flow's mark, which the forward path has set", {
  router: table(
    "marks",
    chain("filter", "forward 0", "iifname r0 ct state new ct mark set 0x77"),
    chain("filter", "postrouting mangle", "oifname r1 meta l4proto { tcp, udp } ct mark != 0x77 drop"),
  ),
  probes: every("server", 80, "server sees client"),
});

fieldTest("marks that iptables saves with flows", {
  programs: ["iptables", "ip6tables"],
  router: ["iptables", "ip6tables"].map((program) =>
    `${program} -t mangle -A PREROUTING -i r0 -m conntrack --ctstate NEW -j MARK --set-mark 0x77
${program} -t mangle -A PREROUTING -i r0 -m conntrack --ctstate NEW -j CONNMARK --save-mark
${program} -t mangle -A PREROUTING -i r1 -p tcp -m connmark ! --mark 0x77 -j DROP
${program} -t mangle -A PREROUTING -i r1 -p udp -m connmark ! --mark 0x77 -j DROP`
  ).join("\n"),
  probes: every("server", 80, "server sees client"),
});

fieldTest("a translated destination by the flow's mark, in both directions of both legs", {
  router: table(
    "marks",
    chain(
      "filter",
      "prerouting mangle",
      `iifname r0 ct state new ct mark set 0x77
    iifname r0 tcp flags & (syn | ack) == ack ct mark != 0x77 drop
    ${ANSWERS}`,
    ),
  ) +
    table("nat", chain("nat", "prerouting dstnat", "iifname r0 ip daddr 192.0.2.66 dnat ip to 203.0.113.2")),
  probes: [...both("192.0.2.66", 80, "server sees client"), ...every("server", 80, "server sees client")],
});
