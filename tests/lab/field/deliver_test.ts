/** Programs that listen on all addresses, and flows of that port which are not theirs (field case 15). */
import { IP_TRANSPARENT, SOL_IP } from "../../../ffi/consts.ts";
import { fieldTest } from "../../laboratory/field/field.ts";
import { every, tcp } from "../../laboratory/field/probes.ts";

fieldTest("a transparent program on all addresses gets no other flow of its port", {
  before: ({ lab, serve }) =>
    Promise.resolve(
      serve("router", lab.router, [8080], { udp: false, options: [[SOL_IP, IP_TRANSPARENT, 1]] }),
    ),
  config: {
    intercept: { protocols: ["tcp"] },
    rules: [
      { to: ["203.0.113.0/24", "2001:db8:77::/64"], action: "bypass" },
      { ports: [443], protocol: "tcp", action: "deliver", "deliver-port": 8080 },
    ],
  },
  forwarded: "th dport 8080",
  probes: [
    ...([4, 6] as const).flatMap((family) => [
      tcp("server", 8080, "server sees client", { family }),
      tcp("client", 8080, "client sees server", { family, from: "server" }),
      tcp("private", 8080, "private sees client", { family }),
    ]),
    ...every("anycast", 80, "server sees client").filter(({ name }) => name.startsWith("TCP")),
  ],
});
