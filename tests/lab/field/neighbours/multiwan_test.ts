/** Rule sets of the shape of mwan3's, pbr's and keepalived's, written anew. */
import { fieldTest } from "../../../laboratory/field/field.ts";
import { every } from "../../../laboratory/field/probes.ts";
import { KEEPALIVED, MWAN3, PBR } from "../../../laboratory/field/routers/multiwan.ts";

fieldTest("mwan3: connections are given to providers, and keep them", {
  programs: ["iptables", "ip6tables"],
  router: MWAN3,
  probes: [
    ...every("anycast", 80, "server sees wan"),
    ...every("anycast", 443, { tcp: "other sees wan2", udp: "server sees wan" }),
    ...every("anycast", 80, "other sees wan2", { from: "guest" }),
    ...every("private", 80, "private sees client"),
  ],
});

fieldTest("pbr: hosts and ports by sets, in prerouting", {
  router: PBR,
  probes: [
    ...every("anycast", 80, "other sees wan2"),
    ...every("anycast", 53, "server sees wan"),
    ...every("anycast", 80, "server sees wan", { from: "guest" }),
  ],
});

fieldTest("keepalived: virtual addresses, virtual rules, and the packets of VRRP alone at input", {
  router: KEEPALIVED,
  probes: [
    ...every("anycast", 80, "other sees client"),
    ...every("server", 80, { 4: "server sees 203.0.113.100", 6: "server sees guest" }, { from: "guest" }),
  ],
});
