/** Refusals, ICMP errors and silence reach the client as they are (field case 19, W7). */
import { OperationError } from "../../../src/net/error.ts";
import { fieldTest } from "../../laboratory/field/field.ts";
import { FIELD } from "../../laboratory/field/places.ts";
import { both, every, type Probe, tcp, udp } from "../../laboratory/field/probes.ts";
import { chain, table, tableText } from "../../laboratory/field/rules.ts";
import { at } from "../../laboratory/network/udp_socket.ts";

const CONTROL = every("server", 80, "server sees client");

for (const masquerade of [false, true]) {
  fieldTest(`ports that nobody listens on${masquerade ? ", behind masquerade" : ""}`, {
    masquerade,
    probes: every("server", 9, "refused"),
  });
}

/** A firewall of the server's own. */
function firewall(rules: string): string {
  return tableText("fw", chain("filter", "input 0", rules));
}

/** Messages, and the words that the kernel makes of them: UDP sockets hear of the hard ones alone. */
const MESSAGES = [
  ["host-unreachable", {
    4: { tcp: "host unreachable", udp: "silence" },
    6: { tcp: "host unreachable", udp: "silence" },
  }],
  ["admin-prohibited", {
    4: { tcp: "host unreachable", udp: "host unreachable" },
    6: { tcp: "EACCES", udp: "EACCES" },
  }],
  ["no-route", {
    4: { tcp: "network unreachable", udp: "silence" },
    6: { tcp: "network unreachable", udp: "silence" },
  }],
] as const;

for (const [code, words] of MESSAGES) {
  fieldTest(`a server behind a firewall that says ${code}`, {
    before: ({ lab }) =>
      lab.server.nft(firewall(`meta l4proto { tcp, udp } th dport 443 reject with icmpx ${code}`)),
    probes: [
      ...([4, 6] as const).flatMap((family) => [
        tcp("server", 443, words[family].tcp, { family }),
        udp("server", 443, words[family].udp, { family }),
      ]),
      ...CONTROL,
    ],
  });
}

/** A second datagram of this size, which hears of what became of the first. */
function large(family: 4 | 6, bytes: number): Probe {
  return {
    name: `UDP, IPv${family}, ${bytes} bytes twice`,
    expected: family === 4 ? "EHOSTUNREACH" : "EACCES",
    async run(places) {
      const socket = places.client.udp({ family, connect: at(FIELD.server[family], 443) });
      try {
        socket.send(new Uint8Array(bytes));
        await socket.receiveWithin(500);
        socket.send(new Uint8Array(bytes));
        return "silence";
      } catch (error) {
        if (!(error instanceof OperationError)) throw error;
        return error.code;
      } finally {
        socket.close();
      }
    },
  };
}

fieldTest("a firewall that says admin-prohibited to datagrams in fragments, IPv4", {
  before: ({ lab }) => lab.server.nft(firewall("udp dport 443 reject with icmpx admin-prohibited")),
  probes: [large(4, 1_400), large(4, 3_000), ...CONTROL],
});

// A firewall of IPv6 that does not join fragments says nothing: it cannot check the sum of the first. In the
// laboratory it speaks without a proxy, because a router on the same machine has checked it before.
fieldTest("a firewall that says admin-prohibited to datagrams in fragments, IPv6", {
  before: ({ lab }) =>
    lab.server.nft(firewall("ct state new udp dport 443 reject with icmpx admin-prohibited")),
  probes: [large(6, 1_400), large(6, 3_000), ...CONTROL],
});

fieldTest("a server that says nothing", {
  before: ({ lab }) => lab.server.nft(firewall("meta l4proto { tcp, udp } th dport 443 drop")),
  probes: [...every("server", 443, "silence"), ...CONTROL],
});

for (const masquerade of [false, true]) {
  fieldTest(`a neighbour that is dead${masquerade ? ", behind masquerade" : ""}`, {
    masquerade,
    probes: [
      tcp("203.0.113.66", 80, "host unreachable", { silenceMs: 5_000 }),
      tcp("2001:db8:77::66", 80, "host unreachable", { family: 6, silenceMs: 5_000 }),
      ...every("server", 80, `server sees ${masquerade ? "wan" : "client"}`),
    ],
  });
}

fieldTest("a dead neighbour that a port is forwarded to", {
  router: table("nat", chain("nat", "prerouting dstnat", "ip daddr 192.0.2.77 dnat ip to 203.0.113.66")),
  probes: [tcp("192.0.2.77", 80, "host unreachable", { silenceMs: 5_000 }), ...CONTROL],
});

fieldTest("no route", {
  router: `ip route del default
ip -6 route del default
ip route add unreachable 198.51.100.0/24
ip route add prohibit 198.51.101.0/24`,
  probes: [
    tcp("192.0.2.66", 80, "network unreachable"),
    udp("192.0.2.66", 80, "silence"),
    tcp("198.51.100.1", 80, "host unreachable"),
    udp("198.51.100.1", 80, "silence"),
    ...both("198.51.101.1", 80, "host unreachable"),
    ...CONTROL,
  ],
});

fieldTest("a refusal by the administrator's own reset", {
  router: table(
    "fw",
    chain("filter", "forward 0", "tcp dport 443 reject with tcp reset; udp dport 443 drop"),
  ),
  probes: [
    ...([4, 6] as const).map((family) => tcp("server", 443, "refused", { family })),
    ...CONTROL,
  ],
});
