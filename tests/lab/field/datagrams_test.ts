/** UDP beyond a question and an answer: path MTU and DF (field case 29, F15). */
import { IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, SOL_IP, SOL_IPV6 } from "../../../ffi/consts.ts";
import { OperationError } from "../../../src/net/error.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";
import { fieldTest } from "../../laboratory/field/field.ts";
import { FIELD } from "../../laboratory/field/places.ts";
import { addFarNetwork, FAR } from "../../laboratory/network/far.ts";
import type { Probe } from "../../laboratory/field/probes.ts";
import { at } from "../../laboratory/network/udp_socket.ts";

/** linux/in.h: sets DF, and ignores what is known of the path. */
const PMTUDISC_PROBE = 3;
const SILENCE_MS = 400;

/** Datagrams of these sizes, as QUIC probes: which are answered. */
function probing(family: 4 | 6, sizes: readonly number[], expected: string): Probe {
  return {
    name: `datagrams that must not be fragmented, IPv${family}`,
    expected,
    async run({ client }) {
      const socket = client.udp({ family, connect: at(FIELD.server[family], 443) });
      const [level, name] = family === 4 ? [SOL_IP, IP_MTU_DISCOVER] : [SOL_IPV6, IPV6_MTU_DISCOVER];
      setInt(socket.fd, level, name, PMTUDISC_PROBE);
      const answered: number[] = [];
      for (const size of sizes) {
        try {
          socket.send(new Uint8Array(size));
          if (await socket.receiveWithin(400) !== undefined) answered.push(size);
        } catch (error) {
          if (!(error instanceof OperationError)) throw error;
        }
      }
      socket.close();
      return `answered: ${answered.join(" ")}`;
    },
  };
}

/** Datagrams of one socket, by turns: what comes of each. */
function larger(
  family: 4 | 6,
  bytes: number,
  expected: string,
  to: string = FIELD.server[family],
): Probe {
  return {
    name: `${expected.split(" ").length} datagrams of ${bytes} bytes, IPv${family}`,
    expected,
    async run({ client }) {
      const socket = client.udp({ family, connect: at(to, 53) });
      const outcomes: string[] = [];
      for (const _ of expected.split(" ")) {
        try {
          socket.send(new Uint8Array(bytes));
          outcomes.push(await socket.receiveWithin(SILENCE_MS) === undefined ? "silence" : "answered");
        } catch (error) {
          if (!(error instanceof OperationError)) throw error;
          outcomes.push(error.code);
        }
      }
      socket.close();
      await client.run(["ip", `-${family}`, "route", "flush", "cache"]); // what its kernel knows of the path
      return outcomes.join(" ");
    },
  };
}

fieldTest("datagrams larger than the way out, whose client makes fragments once it is told", {
  router: "ip link set r1 mtu 1400",
  before: ({ lab }) => lab.server.ip("link set s0 mtu 1400"),
  probes: ([4, 6] as const).flatMap((family) => [
    larger(family, 1_300, "answered answered"),
    larger(family, 1_450, "EMSGSIZE answered answered"),
    larger(family, 3_000, family === 4 ? "answered answered" : "EMSGSIZE answered answered"),
  ]),
});

fieldTest("datagrams larger than a link behind the server", {
  async before({ lab }) {
    const far = await addFarNetwork(lab);
    await far.writeSysctl({ "net.ipv4.icmp_ratelimit": 0, "net.ipv6.icmp.ratelimit": 0 });
  },
  probes: ([4, 6] as const).flatMap((family) => [
    larger(family, 1_230, "ECONNREFUSED ECONNREFUSED", FAR[family]),
    larger(family, 1_300, "EMSGSIZE ECONNREFUSED ECONNREFUSED", FAR[family]),
  ]),
});

fieldTest("QUIC probes the path MTU", {
  router: "ip link set r1 mtu 1400",
  probes: [
    probing(4, [1_200, 1_350, 1_390, 1_452, 1_200], "answered: 1200 1350 1200"),
    probing(6, [1_200, 1_340, 1_390, 1_452, 1_200], "answered: 1200 1340 1200"),
  ],
});
