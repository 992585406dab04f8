/** Rules of the input chain that are meant for the router itself (field cases 2 and 12). */
import { Caller } from "../../../laboratory/field/caller.ts";
import { fieldTest } from "../../../laboratory/field/field.ts";
import { FIELD } from "../../../laboratory/field/places.ts";
import { every, type Probe } from "../../../laboratory/field/probes.ts";
import { chain, table } from "../../../laboratory/field/rules.ts";
import { at } from "../../../laboratory/network/udp_socket.ts";

/** Opens so many connections at once, and counts those that are answered within the time. */
function burst(count: number, withinMs: number): Probe {
  return {
    name: `${count} connections at once`,
    expected: `${count} answered`,
    async run(places) {
      const callers = Array.from({ length: count }, () => new Caller(places.client, at(FIELD.server[4], 80)));
      try {
        const answers = await Promise.all(callers.map(async (caller) => {
          if (await caller.connected(withinMs) !== undefined) return "";
          return await caller.read(/\n/, withinMs);
        }));
        return `${answers.filter((answer) => answer.startsWith("server sees")).length} answered`;
      } finally {
        for (const caller of callers) caller.close();
      }
    },
  };
}

fieldTest("fw4's rule against SYN floods", {
  router: `nft -f - <<END
table inet fw4 {
  chain input {
    type filter hook input priority filter; policy drop;
    iif lo accept
    ct state vmap { established : accept, related : accept }
    tcp flags & (fin | syn | rst | ack) == syn jump syn_flood
    iifname r0 accept
  }
  chain syn_flood { limit rate 25/second burst 50 packets return; drop; }
}
END`,
  probes: [burst(200, 900)],
});

/** The router's own services are shut for clients; before that, or not, what is established passes. */
function shutServices(established: string): string {
  return table(
    "filter",
    chain("filter", "input 0", `${established}\niifname { r0, r4 } tcp dport { 22, 80, 8080 } reject`),
  );
}

const SHUT_SERVICES = [
  ...every("server", 22, "server sees client"),
  ...every("server", 80, "server sees client"),
  ...every("server", 8080, "server sees guest", { from: "guest" }),
  ...every("lan", 22, "refused").filter(({ name }) => name.startsWith("TCP")),
];

fieldTest("input rejects the ports of the router's own services", {
  router: shutServices("ct state established,related accept"),
  probes: SHUT_SERVICES,
});

fieldTest("input rejects ports of the router's own services, whatever is established", {
  router: shutServices(""),
  different: "clients' packets pass the input chain with the server's port",
  probes: SHUT_SERVICES,
});

fieldTest("input limits new connections by hashlimit and recent", {
  programs: ["iptables"],
  router: `iptables -A INPUT -i r0 -p tcp --syn -m hashlimit --hashlimit-name x --hashlimit-mode srcip \
  --hashlimit-above 1/min --hashlimit-burst 1 -j DROP
iptables -A INPUT -i r0 -p tcp -m state --state NEW -m recent --set --name ssh
iptables -A INPUT -i r0 -p tcp -m state --state NEW -m recent --update --seconds 60 --hitcount 2 --name ssh -j DROP`,
  probes: [burst(20, 900)],
});

fieldTest("input drops by default, and knows the LAN's services alone", {
  router: `nft -f - <<END
table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    iif lo accept
    ct state invalid drop
    ct state established,related accept
    meta l4proto { icmp, ipv6-icmp } accept
    iifname r0 tcp dport 22 accept
    iifname r0 udp dport { 53, 67 } accept
  }
}
END`,
  probes: [
    ...every("server", 80, "server sees client"),
    ...every("server", 443, "server sees guest", { from: "guest" }),
  ],
});
