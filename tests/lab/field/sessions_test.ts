/** Hole punching, half-closed and sleeping connections (field cases 32, 23, 8). */
import assert from "node:assert/strict";
import {
  SHUT_WR,
  SO_KEEPALIVE,
  SOL_SOCKET,
  SOL_TCP,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
} from "../../../ffi/consts.ts";
import { shutdownSocket } from "../../../ffi/sockets/socket.ts";
import { Caller, type SocketOption } from "../../laboratory/field/caller.ts";
import { type Field, fieldTest } from "../../laboratory/field/field.ts";
import type { Peer } from "../../laboratory/field/peers.ts";
import { FIELD, type Places } from "../../laboratory/field/places.ts";
import { every, type Probe } from "../../laboratory/field/probes.ts";
import { chain, tableText } from "../../laboratory/field/rules.ts";
import { delay } from "../../laboratory/machine/wait.ts";
import type { Namespace } from "../../laboratory/namespace.ts";
import { hastenKeepalive } from "../../laboratory/field/keepalive.ts";
import { at } from "../../laboratory/network/udp_socket.ts";
import type { Program } from "../../laboratory/program.ts";

/** Client and server dial at once from the port that the other dials. */
const PUNCH: Probe = {
  name: "both ends dial at once",
  expected: "both: there and back",
  async run({ client, server }) {
    using near = new Caller(client, at(FIELD.server[4], 40_002), { bind: at(FIELD.client[4], 40_001) });
    using far = new Caller(server, at(FIELD.wan[4], 40_001), { bind: at(FIELD.server[4], 40_002) });
    const failures = [await near.connected(3_000), await far.connected(3_000)];
    if (failures.some((failure) => failure !== undefined)) return failures.join(", ");
    near.send("there");
    far.send("back");
    return `both: ${await far.read(/there/, 1_500)} and ${await near.read(/back/, 1_500)}`;
  },
};

fieldTest("TCP hole punching behind masquerade", {
  masquerade: true,
  different: "the dial of the proxy is refused by a server that dials at the same time",
  // The server's own NAT lets nothing out that its host has not begun: so nobody is refused too early.
  before: ({ lab }) =>
    lab.server.nft(tableText("nat", chain("filter", "output 0", "tcp flags & rst == rst drop"))),
  probes: [PUNCH, ...every("server", 80, "server sees wan")],
});

/** A time as three days are with hasty clocks: three probes of five have no answer. */
const DAYS_MS = 4_000;
/** conntrack remembers a silent connection for so long. */
const FIVE_DAYS = 432_000;
/** The proxy's legs have keepalive after so long. */
const KEEPALIVE_MS = 2_600;
const FAMILIES = [4, 6] as const;
const LATE = 7_000;
const KEEN = 7_001;
const CRASHING = 7_002;
/** An end that asks for itself, as it must where no proxy asks. */
const ASKING: readonly SocketOption[] = [
  [SOL_SOCKET, SO_KEEPALIVE, 1],
  [SOL_TCP, TCP_KEEPIDLE, 1],
  [SOL_TCP, TCP_KEEPINTVL, 1],
];

let router: Namespace;
let keen: Program;
let crashing: Peer;

/** A server that answers long after the end of a question, one that asks its clients, one that crashes. */
async function serveSilence({ lab, serve }: Field): Promise<void> {
  router = lab.router;
  crashing = serve("server", lab.server, [CRASHING], { udp: false });
  const listen = (port: number) => `TCP6-LISTEN:${port},ipv6only=0,fork,reuseaddr`;
  const late = `SYSTEM:cat >/dev/null; sleep ${DAYS_MS / 1_000}; echo late`;
  await lab.server.start(["socat", "-t30", listen(LATE), late], { listens: LATE });
  const asking = ",keepalive,keepidle=1,keepintvl=1";
  keen = await lab.server.start(["socat", "-dd", listen(KEEN) + asking, "PIPE"], { listens: KEEN });
}

/** Puts a host to sleep: it hears nothing and says nothing. */
function fallAsleep(host: Namespace): Promise<void> {
  return host.nft(`table inet asleep {
    chain in { type filter hook input priority 0; policy drop; }
    chain out { type filter hook output priority 0; policy drop; }
  }`);
}

/** The connections of one family. */
class Silence {
  readonly sleeping: Caller;
  readonly silent: Caller;
  readonly halfClosed: Caller;
  readonly crashed: Caller;
  readonly bereft: Caller;

  constructor({ client, guest }: Places, family: 4 | 6) {
    const server = FIELD.server[family];
    this.sleeping = new Caller(client, at(server, 80));
    this.silent = new Caller(guest, at(server, 80));
    this.halfClosed = new Caller(guest, at(server, LATE));
    this.crashed = new Caller(guest, at(server, KEEN));
    this.bereft = new Caller(guest, at(server, CRASHING), { options: ASKING });
  }

  get all(): Caller[] {
    return [this.sleeping, this.silent, this.halfClosed, this.crashed, this.bereft];
  }

  /** Says what became of all but the one whose client has crashed. */
  async outcome(): Promise<string> {
    this.sleeping.send("awake");
    this.silent.send("there");
    const said = [
      this.sleeping.read(/awake/, 5_000),
      this.silent.read(/there/, 1_500),
      this.halfClosed.read(/late/, 3_000),
      this.bereft.read(/never/, 1_500),
    ];
    return (await Promise.all(said)).map((text) => text.replace(/.*, port \d+\n/, "").trim()).join(", ");
  }
}

fieldTest("connections that are silent for days, with keepalive's clocks turned fast", {
  programs: ["socat", "ss"],
  before: serveSilence,
  probes: [{
    name: "asleep, silent, half-closed, server has forgotten it; client has forgotten it",
    expected: "awake, there, late, reset; awake, there, late, reset; servers: 2 resets",
    async run(places) {
      const silences = FAMILIES.map((family) => new Silence(places, family));
      const callers = silences.flatMap(({ all }) => all);
      try {
        for (const caller of callers) assert.equal(await caller.connected(1_500), undefined);
        await delay(KEEPALIVE_MS);
        const allowed = await hastenKeepalive(router, "state established");
        // Without the proxy nothing here is the router's.
        assert.ok(allowed.length === 0 || allowed.length === 2 * callers.length, `${allowed.length} legs`);
        for (const seconds of allowed) assert.ok(seconds >= FIVE_DAYS, `ends after ${seconds} s`);
        await fallAsleep(places.client);
        for (const { halfClosed, crashed } of silences) {
          shutdownSocket(halfClosed.fd, SHUT_WR);
          crashed.forget();
        }
        crashing.forget();
        await delay(DAYS_MS);
        await places.client.nft("delete table inet asleep");
        const outcomes = await Promise.all(silences.map((silence) => silence.outcome()));
        const resets = keen.output.match(/Connection reset by peer/g) ?? [];
        return `${outcomes.join("; ")}; servers: ${resets.length} resets`;
      } finally {
        for (const caller of callers) caller.close();
      }
    },
  }],
});
