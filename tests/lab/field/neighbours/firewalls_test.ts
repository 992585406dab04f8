/** Rule sets of the shape of fw4's, firewalld's, ufw's and of a Debian howto's, written anew. */
import { fieldTest } from "../../../laboratory/field/field.ts";
import { every } from "../../../laboratory/field/probes.ts";
import { DEBIAN, FIREWALLD, FW4, UFW } from "../../../laboratory/field/routers/firewalls.ts";

fieldTest("fw4: zones lan, guest and wan", {
  router: FW4,
  probes: [
    ...every("server", 80, "server sees wan"),
    ...every("server", 443, "server sees wan", { from: "guest" }),
    ...every("private", 80, "private sees client"),
    ...every("private", 80, "refused", { from: "guest" }),
    ...every("client", 80, "refused", { from: "server" }),
    ...every("guests", 80, "refused", { from: "guest" }),
  ],
});

fieldTest("firewalld: zones internal and external, with policies and helpers", {
  router: FIREWALLD,
  probes: [
    ...every("server", 80, { 4: "server sees wan", 6: "server sees client" }),
    ...every("private", 80, { 4: "host unreachable", 6: "EACCES" }),
  ],
});

fieldTest("ufw: limits, logging, and a default of deny", {
  programs: ["iptables", "ip6tables"],
  router: UFW,
  probes: [
    ...every("server", 22, "server sees wan"),
    ...every("server", 80, "server sees wan"),
    ...every("server", 443, { tcp: "server sees wan", udp: "silence" }, { from: "guest" }),
    ...every("private", 80, "silence", { silenceMs: 400 }),
  ],
});

fieldTest("Debian with iptables: established, SSH from the LAN, and nothing else", {
  programs: ["iptables", "ip6tables"],
  router: DEBIAN,
  probes: [
    ...every("server", 80, "server sees wan"),
    ...every("server", 80, "silence", { from: "guest", silenceMs: 400 }),
  ],
});
