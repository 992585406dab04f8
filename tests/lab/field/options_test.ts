/** Options of a SYN: MSS, DSCP, MD5 (field cases 16, 25, 27). */
import { IP_TOS, IPV6_TCLASS, SOL_IP, SOL_IPV6 } from "../../../ffi/consts.ts";
import { Caller, type SocketOption } from "../../laboratory/field/caller.ts";
import { fieldTest } from "../../laboratory/field/field.ts";
import { FIELD } from "../../laboratory/field/places.ts";
import { every, type Probe, tcp, udp } from "../../laboratory/field/probes.ts";
import { chain, table } from "../../laboratory/field/rules.ts";
import { seen, watch } from "../../laboratory/field/watch.ts";
import { setTcpMd5 } from "../../laboratory/network/tcp_md5.ts";
import { at } from "../../laboratory/network/udp_socket.ts";

const SYN = "tcp dport 80 tcp flags & (syn | ack) == syn";
const EXPEDITED: Record<4 | 6, readonly SocketOption[]> = {
  4: [[SOL_IP, IP_TOS, 0xb8]],
  6: [[SOL_IPV6, IPV6_TCLASS, 0xb8]],
};

fieldTest("the MSS that the forward chain sets", {
  before: ({ lab }) => watch(lab.server, SYN, "tcp option maxseg size"),
  router: table(
    "clamp",
    chain("filter", "forward 0", "oifname r1 tcp flags & (syn | rst) == syn tcp option maxseg size set 1300"),
  ),
  probes: every("server", 80, "server sees client"),
  look: ({ lab }) => seen(lab.server),
});

/** Sends and has echoed so much. */
function bulk(bytes: number): Probe {
  return {
    name: `${bytes} bytes there and back`,
    expected: "whole",
    async run(places) {
      using caller = new Caller(places.client, at(FIELD.server[4], 80));
      const failure = await caller.connected(1_500);
      if (failure !== undefined) return failure;
      caller.send(new Uint8Array(bytes).fill(120));
      const back = await caller.read(new RegExp(`x{${bytes}}`), 3_000);
      return /x+$/.test(back) ? "whole" : `${back.length} bytes`;
    },
  };
}

fieldTest("a hole behind the WAN that swallows large packets, and an MSS that keeps out of it", {
  before: ({ lab }) => lab.server.ip("link set s0 gso_max_segs 1"),
  router: `ip link set r1 gso_max_segs 1
${
    table(
      "clamp",
      chain("filter", "forward 0", "tcp flags & (syn | rst) == syn tcp option maxseg size set 1300"),
      chain("filter", "postrouting 400", "oifname r1 meta length > 1400 drop"),
      chain("filter", "prerouting -400", "iifname r1 meta length > 1400 drop"),
    )
  }`,
  probes: [bulk(16_000)],
});

for (const family of [4, 6] as const) {
  fieldTest(`DSCP of IPv${family}`, {
    before: ({ lab }) => watch(lab.server, "th dport { 80, 443 }", family === 4 ? "ip dscp" : "ip6 dscp"),
    probes: [
      tcp("server", 80, "server sees client", { family, options: EXPEDITED[family] }),
      udp("server", 443, "server sees client", { family, options: EXPEDITED[family] }),
    ],
    look: ({ lab }) => seen(lab.server),
  });
}

fieldTest("DSCP that the forward chain sets", {
  before: ({ lab }) => watch(lab.server, SYN, "ip dscp"),
  router: table("qos", chain("filter", "forward 0", "ip dscp set af21")),
  probes: [tcp("server", 80, "server sees client")],
  look: ({ lab }) => seen(lab.server),
});

fieldTest("BGP with MD5", {
  before: ({ lab, serve }) => {
    const bgp = serve("server", lab.server, [179], { udp: false });
    setTcpMd5(bgp.listeners[0], FIELD.client[4], "secret");
    return Promise.resolve();
  },
  forwarded: "tcp dport 179",
  probes: [
    {
      name: "TCP, MD5",
      expected: "server sees client",
      async run(places) {
        using caller = new Caller(places.client, at(FIELD.server[4], 179), {
          prepare: (fd) => setTcpMd5(fd, FIELD.server[4], "secret"),
        });
        const failure = await caller.connected(1_500);
        return failure ?? (await caller.read(/\n/, 1_500)).replace(/, port.*\n/, "");
      },
    },
    ...every("server", 80, "server sees client"),
  ],
});
