/** Redirects for clients: forced DNS, Pi-hole, 1:1 NAT, hairpin, the router's own services (field case 6). */
import { fieldTest } from "../../../laboratory/field/field.ts";
import { both, every } from "../../../laboratory/field/probes.ts";
import { chain, table } from "../../../laboratory/field/rules.ts";

/** Nat chains with these rules. */
function nat(prerouting: string, postrouting = ""): string {
  return table(
    "nat",
    chain("nat", "prerouting dstnat", prerouting),
    chain("nat", "postrouting srcnat", postrouting),
  );
}

const PIHOLE = `iifname r0 meta nfproto ipv4 th dport 53 dnat ip to 192.168.5.10
  iifname r0 meta nfproto ipv6 th dport 53 dnat ip6 to fd77:5::10`;

for (const masquerade of [false, true]) {
  fieldTest(`DNS is forced to a Pi-hole${masquerade ? ", behind masquerade" : ""}`, {
    masquerade,
    router: nat(PIHOLE),
    probes: [
      ...every("server", 53, "private sees client"),
      ...every("server", 53, `server sees ${masquerade ? "wan" : "guest"}`, { from: "guest" }),
      ...every("server", 80, `server sees ${masquerade ? "wan" : "client"}`),
    ],
  });
}

fieldTest("DNS is forced to another provider's server, out the second way", {
  router: nat(
    `iifname r0 meta nfproto ipv4 th dport 53 dnat ip to 198.18.0.2
  iifname r0 meta nfproto ipv6 th dport 53 dnat ip6 to 2001:db8:78::2`,
    "oifname r3 masquerade",
  ),
  probes: [...every("server", 53, "other sees wan2"), ...every("nowhere", 53, "other sees wan2")],
});

for (const masquerade of [false, true]) {
  fieldTest(
    `the router's own DNS goes elsewhere, clients' does not${masquerade ? ", behind masquerade" : ""}`,
    {
      masquerade,
      router: table(
        "own",
        chain(
          "nat",
          "output -100",
          `meta nfproto ipv4 meta l4proto { tcp, udp } th dport 53 dnat ip to 192.168.5.10
    meta nfproto ipv6 meta l4proto { tcp, udp } th dport 53 dnat ip6 to fd77:5::10`,
        ),
      ),
      probes: every("server", 53, `server sees ${masquerade ? "wan" : "client"}`),
    },
  );
}

fieldTest("one port to another", {
  router: nat("iifname r0 meta l4proto { tcp, udp } th dport 8443 dnat ip to 203.0.113.2:443"),
  probes: both("nowhere", 8443, "server sees client"),
});

fieldTest("1:1 NAT of an address that the router does not hold", {
  router: nat(
    "ip daddr 192.0.2.77 dnat ip to 198.18.0.2",
    "ip saddr 10.77.1.2 oifname r3 snat ip to 198.18.0.1",
  ),
  probes: both("192.0.2.77", 80, "other sees wan2"),
});

fieldTest("what the router redirects to itself stays there", {
  before: ({ lab, serve }) => Promise.resolve(serve("router", lab.router, [3128])),
  router: nat("iifname r0 ip protocol { tcp, udp } th dport 80 redirect to :3128"),
  probes: [
    ...both("server", 80, "router sees client"),
    ...every("server", 443, "server sees client"),
  ],
});

fieldTest("hairpin: a LAN host dials the router's public address", {
  router: nat(
    "ip daddr 203.0.113.1 th dport 8080 dnat ip to 192.168.5.10",
    "iifname r0 oifname r2 masquerade",
  ),
  // What is addressed to the router is nothing for the proxy.
  forwarded: "oifname r2",
  probes: [...both("wan", 8080, "private sees dmz"), ...both("server", 80, "server sees client")],
});

fieldTest("a NAT64 that stands in prerouting alone", {
  router: nat("iifname r0 ip6 daddr 64:ff9b::/96 dnat ip6 to 2001:db8:77::2"),
  probes: every("64:ff9b::c000:209", 80, "server sees client").filter(({ name }) => name.includes("IPv6")),
});

fieldTest("a captive portal sends the web of newcomers to a page", {
  router: `${nat("iifname r0 tcp dport 80 meta mark != 0x10 dnat ip to 192.168.5.10:80")}
${table("portal", chain("filter", "prerouting mangle", "ip saddr 10.77.4.2 meta mark set 0x10"))}`,
  probes: [
    ...both("server", 80, "private sees client").slice(0, 1),
    ...both("server", 80, "server sees guest", { from: "guest" }),
  ],
});
