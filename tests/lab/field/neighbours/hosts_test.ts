/** Rule sets of the shape of NixOS's (nftables and iptables) and Docker's, written anew. */
import { fieldTest } from "../../../laboratory/field/field.ts";
import { every } from "../../../laboratory/field/probes.ts";
import { DOCKER, NIXOS, NIXOS_IPTABLES } from "../../../laboratory/field/routers/hosts.ts";

fieldTest("NixOS, nftables: masquerade by the inner interfaces, a strict reverse path filter", {
  router: NIXOS,
  probes: [
    ...every("server", 80, { 4: "server sees wan", 6: "server sees client" }),
    ...every("client", 8080, "client sees server", { from: "server" }).filter(({ name }) =>
      name.includes("IPv6")
    ),
    ...every("private", 80, "private sees guest", { from: "guest" }),
  ],
});

fieldTest("NixOS, iptables: mark 1 on all that comes from the LAN", {
  programs: ["iptables"],
  config: { intercept: { ports: [80, 443] } },
  router: NIXOS_IPTABLES,
  // What is not intercepted is forwarded as ever.
  forwarded: "th dport 8080",
  probes: [
    ...every("server", 80, { 4: "server sees wan", 6: "server sees client" }),
    ...every("server", 8080, { 4: "server sees wan", 6: "server sees client" }),
  ],
});

fieldTest("Docker: a bridge with br_netfilter, published ports, its own DNS, FORWARD at DROP", {
  programs: ["iptables"],
  config: { intercept: { interfaces: ["r0", "docker0"] } },
  router: DOCKER,
  probes: [
    ...every("server", 80, "server sees wan", { from: "guest" }).filter(({ name }) => name.includes("IPv4")),
    ...every("server", 443, "server sees guest", { from: "guest" }).filter(({ name }) =>
      name.includes("IPv6")
    ),
    ...every("server", 80, "server sees wan").filter(({ name }) => name.includes("IPv4")),
    ...every("private", 80, "silence", { from: "guest", silenceMs: 400 }).filter(({ name }) =>
      name.includes("IPv4")
    ),
    ...every("wan", 8080, "guest sees server", { from: "server" }).filter(({ name }) =>
      name.includes("TCP, IPv4")
    ),
  ],
});
