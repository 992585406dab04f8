/**
 * 500 random flows: the answers of `tproxy explain`, and what becomes of them. Random policies, with a proxy
 * that runs and programs that get what is delivered, among random rules of other programs.
 *
 * ```
 *   c0 ──── r0 ┐                          ┌ r1 ──── s0   10.77.1.0/24 │ 203.0.113.0/24: the first way out
 *              ├─ router ── tproxy run ───┤
 *   c2 ──── r2 ┘   │                      └ r3 ──── s3   203.0.114.0/24: the second, by rules alone
 *                  └ 127.0.0.1:3129, [::1]:3129, 0.0.0.0:3130, [::]:3130: other programs
 * ```
 * A packet is known by its source port; where the proxy chooses that, by its destination. Some datagrams are
 * QUIC and have a name.
 */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { SO_MARK, SOL_SOCKET } from "../../../ffi/consts.ts";
import { makeSockaddr, writeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";
import { Explainer } from "../../../src/cli/explain/explainer.ts";
import { readQuestion } from "../../../src/cli/explain/question.ts";
import type { Answer } from "../../../src/cli/explain/answer.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { openListener } from "../../../src/dataplane/sockets/transparent.ts";
import { openUdpListener } from "../../../src/dataplane/sockets/udp.ts";
import { readFlowMachine } from "../../../src/doctor/flow/machine.ts";
import { systemFiles } from "../../../src/doctor/machine/files.ts";
import { readAdmission } from "../../../src/kernel/admission.ts";
import { preparePlan } from "../../../src/kernel/prepare.ts";
import { check } from "../../../src/net/error.ts";
import { hexBytes } from "../../../src/net/hex.ts";
import { formatEndpoint, parseEndpoint, parseIp } from "../../../src/net/ip.ts";
import { listElements } from "../../../src/netlink/nft/sets/element.ts";
import { etherKey } from "../../../src/netlink/nft/sets/set_type.ts";
import { openNetlink } from "../../../src/netlink/transport.ts";
import { FORGET, type OtherRules, randomOthers } from "../../laboratory/explain/neighbours.ts";
import { readSeen, type Seen } from "../../laboratory/explain/seen.ts";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { delay } from "../../laboratory/machine/wait.ts";
import { buildFrame } from "../../laboratory/network/packets.ts";
import { macOf, RawLink } from "../../laboratory/network/raw_link.ts";
import { inNamespace } from "../../laboratory/network/udp_calls.ts";
import {
  Random,
  randomPacket,
  randomPolicy,
  type RuleText,
  type TestPacket,
} from "../../laboratory/proxy/policies.ts";
import { startProxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { expectedName, recorded } from "../../unit/sniff/recordings.ts";

const ROUNDS = 10;
const FLOWS = 50;
const FIRST_PORT = 20_000;
const LINKS = { r0: "c0", r2: "c2" } as const;
const LAN = Object.keys(LINKS) as (keyof typeof LINKS)[];
const WAN = { r1: "s0", r3: "s3" } as const;
const SECOND = { ipv4: "203.0.114.254", ipv6: "2001:db8:51::fe" } as const;
const GIVEN = { ipv4: "203.0.113.77", ipv6: "2001:db8:77::77" } as const;
const PROGRAM_MARK = 0x100000;
const QUIC = recorded("quic-ngtcp2")[0];
const NAME = expectedName("quic-ngtcp2");
const LISTENERS = ["127.0.0.1:3129", "[::1]:3129", "0.0.0.0:3130", "[::]:3130"];
/** `relayed` sees what the router itself sends, `delivered` what has a program's socket. */
const OBSERVER = `table inet observer {
  set delivered { type inet_service; size 65535; flags dynamic; }
  set relayed { type inet_service; size 65535; flags dynamic; }
  set relayed4 { type ipv4_addr . inet_service; size 65535; flags dynamic; }
  set relayed6 { type ipv6_addr . inet_service; size 65535; flags dynamic; }
  chain steered {
    type filter hook prerouting priority -305;
    meta l4proto { tcp, udp } socket mark ${PROGRAM_MARK} add @delivered { th sport }
  }
  chain sent {
    type filter hook output priority 400;
    oifname != { r1, r3 } return
    tcp flags & (syn | ack) == syn goto relays
    meta l4proto udp goto relays
  }
  chain relays {
    add @relayed { th sport }
    add @relayed4 { ip daddr . th dport }
    add @relayed6 { ip6 daddr . th dport }
  }
}`;

/** A flow's end as the wires tell it. */
interface Fate {
  readonly end: "forwarded" | "relayed" | "delivered" | "refused" | "dropped" | "unreachable";
  /** The client as the server sees it, and the router's link to it. */
  readonly source?: string | null;
  readonly link?: string | null;
}

labTest("explain says of 500 random flows what becomes of them", { forwarding: true }, async (lab) => {
  await prepare(lab);
  const descriptors = openPrograms(lab);
  using links = new Links(lab);
  const counts = new Map<string, number>();
  try {
    const seed = Number(Deno.env.get("TPROXY_TEST_SEED") ?? 1);
    for (let round = 0; round < ROUNDS; round++) {
      await compare(lab, { random: new Random(seed * 1000 + round), round, links, counts });
    }
  } finally {
    descriptors.forEach(closeFd);
  }
  // A run in which nothing is relayed or refused proves little.
  for (const [end, least] of Object.entries(ENOUGH)) {
    assert.ok(
      (counts.get(end) ?? 0) >= least,
      `${end}: ${counts.get(end)} of ${JSON.stringify([...counts])}`,
    );
  }
});

const ENOUGH = {
  named: 20,
  forwarded: 30,
  relayed: 30,
  delivered: 10,
  refused: 30,
  dropped: 10,
  unreachable: 3,
};

interface Round {
  readonly random: Random;
  readonly round: number;
  readonly links: Links;
  /** Of ends. */
  readonly counts: Map<string, number>;
}

async function compare(lab: Lab, { random, round, links, counts }: Round): Promise<void> {
  const source = random.one(["client", "client", "client-address", "router"]);
  const policy = randomPolicy(random, { links: LAN, deliverPorts: [3129, 3130] });
  const others = randomOthers(random, {
    lan: LAN,
    wan: Object.keys(WAN),
    second: SECOND,
    given: GIVEN,
    redirects: source === "client",
  });
  await applyOthers(lab, others);
  // The laboratory waits for listeners of both.
  const intercept = { ...policy.intercept, protocols: ["tcp", "udp"] };
  const rules = [
    ...policy.rules.map((rule) => random.chance(30) ? withNames(rule, random) : rule),
    ...(random.chance(60)
      ? [{ domains: [NAME], protocol: "udp", action: random.one(["bypass", "direct", "block"]) }]
      : []),
  ];
  const proxy = await startProxy(lab, { config: { ...policy, rules, intercept, source } });
  const packets = flowsOf(random, source === "client");
  const answers = explainAll(lab, proxy.configPath, packets);
  const firstPort = FIRST_PORT + round * FLOWS;
  packets.forEach((packet, index) => links.send(packet, firstPort + index));
  const seen = await links.seeUntilQuiet();
  const observed = readObserver(lab);
  const wrong = packets.flatMap((packet, index) => {
    const answer = answers[index];
    for (const what of [answer.end, ...(answer.entry === null ? [] : ["named"])]) {
      counts.set(what, (counts.get(what) ?? 0) + 1);
    }
    const flow = { packet, port: firstPort + index, byDestination: source !== "client" };
    const [said, found] = [expectedFate(answer), settledFate(answer, fateOf(flow, seen, observed), others)];
    if (answer.certain && (endsLater(answer) || isDeepStrictEqual(said, found))) return [];
    const { by, certain, installed, path, route } = answer;
    return [JSON.stringify({ packet, said, found, by, certain, installed, path, route })];
  });
  assert.equal(
    wrong.length,
    0,
    `round ${round}, source ${source}:\n${wrong.join("\n")}\n${
      JSON.stringify({ policy, others }, undefined, 1)
    }`,
  );
  await proxy.program.stop("SIGKILL");
  await applyOthers(lab, FORGET);
  await lab.router.nft("flush set inet observer relayed4; flush set inet observer relayed6");
}

/** Nobody says the first name here, and QUIC alone the second: the kernel has to leave that open. */
function withNames(
  { silent, ...rule }: RuleText,
  random: Random,
): RuleText & { readonly domains?: string[] } {
  if (rule.action === "deliver") return { ...rule, ...(silent === undefined ? {} : { silent }) };
  return { ...rule, domains: [".ads.example", ...(random.chance(70) ? [NAME] : [])] };
}

/** Tells whether it would be refused for its first bytes: here no connection comes so far. */
function endsLater({ flow, waits, end }: Answer): boolean {
  return flow.protocol === "tcp" && waits.forName && end === "refused";
}

/**
 * Takes what a watcher has sent on for forwarded: the datagram that it held is then the router's own, and
 * routing rules by `iif` do not see it (README, limits).
 */
function settledFate(answer: Answer, fate: Fate, { ip }: OtherRules): Fate {
  const { flow, end, installed } = answer;
  const isHeld = flow.protocol === "udp" && end === "forwarded" && installed?.does === "watch";
  if (!isHeld || fate.end !== "relayed" && fate.end !== "forwarded") return fate;
  return ip[flow.from.includes(":") ? 6 : 4].includes(" iif ")
    ? expectedFate(answer)
    : { ...fate, end: "forwarded" };
}

/** `router`: nobody listens there. */
function expectedFate({ end, source, route }: Answer): Fate {
  if (end === "upstream" || end === "unknown") throw new Error(`No flow here ends as ${end}`);
  if (end === "forwarded" || end === "relayed") return { end, source, link: route?.interface ?? null };
  return { end: end === "router" ? "refused" : end };
}

/** A packet, and whether it is QUIC's first. */
interface FirstPacket extends TestPacket {
  readonly quic: boolean;
}

/** A flow as it is known on the wires. */
interface SentFlow {
  readonly packet: FirstPacket;
  readonly port: number;
  /** The proxy has another port. */
  readonly byDestination: boolean;
}

interface SeenOn extends Seen {
  readonly link: string;
}

function isOf(seen: Seen, { packet, port, byDestination }: SentFlow): boolean {
  return seen.sourcePort === port ||
    byDestination && seen.what === "arrived" && seen.protocol === (packet.kind === "udp" ? "udp" : "tcp") &&
      seen.destination === packet.to && seen.destinationPort === packet.port;
}

type Observed = (set: string) => ReadonlySet<string>;

function fateOf(flow: SentFlow, seen: readonly SeenOn[], observed: Observed): Fate {
  const { packet, port, byDestination } = flow;
  if (observed("delivered").has(portKey(port))) return { end: "delivered" };
  const own = seen.filter((one) => isOf(one, flow));
  const arrived = own.find(({ what }) => what === "arrived");
  if (arrived === undefined) {
    const answer = own.at(0)?.what;
    return { end: answer === undefined ? "dropped" : answer === "no route" ? "unreachable" : "refused" };
  }
  const place = packet.family === "ipv4" ? "relayed4" : "relayed6";
  const key = hexBytes(parseIp(packet.to)!.bytes) + portKey(packet.port);
  const isRelayed = observed("relayed").has(portKey(port)) ||
    byDestination && arrived.sourcePort !== port && observed(place).has(key);
  return { end: isRelayed ? "relayed" : "forwarded", source: arrived.source, link: arrived.link };
}

function portKey(port: number): string {
  return hexBytes(Uint8Array.of(port >> 8, port & 255));
}

/** Random flows; where ports do not tell them apart their destinations do. */
function flowsOf(random: Random, byPort: boolean): FirstPacket[] {
  const flows: FirstPacket[] = [];
  for (let tries = 0; flows.length < FLOWS; tries++) {
    if (tries > 100 * FLOWS) throw new Error("There are not so many destinations");
    const packet = randomPacket(random, LAN);
    const same = ({ to, port, kind }: TestPacket) =>
      to === packet.to && port === packet.port && kind === packet.kind;
    if (packet.kind === "ack" || packet.from === packet.to || !byPort && flows.some(same)) continue;
    const isOwn = byPort && random.chance(4);
    const quic = packet.kind === "udp" && random.chance(50);
    const to = isOwn ? ADDRESSES[packet.family === "ipv4" ? 4 : 6].lan : packet.to;
    flows.push({ ...packet, to, quic });
  }
  return flows;
}

/** Asks for all flows at once, with the rules and routes as they are now. */
function explainAll(lab: Lab, configPath: string, packets: readonly FirstPacket[]): Answer[] {
  return inNamespace(lab.router.name, () => {
    const loaded = loadConfig({ path: configPath, readTextFile: Deno.readTextFileSync });
    using route = openNetlink("route");
    const plan = preparePlan(loaded, Deno.readTextFileSync);
    const explainer = new Explainer(loaded, Deno.readFileSync, {
      machine: readFlowMachine(route, systemFiles(Deno.readTextFileSync)),
      admission: readAdmission(loaded.config),
      lan: plan.lan,
      inner: plan.intent.scope.inner?.names ?? [],
      proxy: undefined,
    });
    return packets.map(({ from, to, port, kind, link, mac, quic }) =>
      explainer.explain(readQuestion({
        from,
        to: formatEndpoint({ address: parseIp(to)!, port }),
        in: link,
        protocol: kind === "udp" ? "udp" : "tcp",
        mac,
        ...(quic ? { domain: NAME } : {}),
      }))
    );
  });
}

async function applyOthers({ router }: Lab, { nft, ip }: OtherRules): Promise<void> {
  await router.nft(nft);
  await router.ip(ip[4], { family: 4 });
  await router.ip(ip[6], { family: 6 });
}

/** Two links to clients, two to servers, no limit on ICMP, programs' listeners are observed. */
async function prepare({ client, router, server }: Lab): Promise<void> {
  await router.ip(`
    link add r2 type veth peer name c2 netns ${client.name}
    link add r3 type veth peer name s3 netns ${server.name}
    addr add 203.0.114.253/24 dev r3
    addr add 2001:db8:51::fd/64 dev r3 nodad
    link set r2 up
    link set r3 up
    route add default via ${ADDRESSES[4].server}
    route add default via ${ADDRESSES[6].server}`);
  await client.ip("link set c2 up");
  await server.ip("link set s3 up");
  await router.writeSysctl({
    ...Object.fromEntries(
      ["all", "r0", "r1", "r2", "r3"].map((link) => [`net.ipv4.conf.${link}.rp_filter`, 0]),
    ),
    "net.ipv4.icmp_ratelimit": 0,
    "net.ipv4.icmp_ratemask": 0,
    "net.ipv4.icmp_msgs_per_sec": 100_000,
    "net.ipv4.icmp_msgs_burst": 10_000,
    "net.ipv6.icmp.ratelimit": 0,
    "net.ipv6.icmp.ratemask": "",
  });
  const [s0, s3] = [macOf(server, "s0"), macOf(server, "s3")];
  await router.ip(`
    neigh replace ${ADDRESSES[4].server} lladdr ${s0} dev r1
    neigh replace ${ADDRESSES[6].server} lladdr ${s0} dev r1
    neigh replace ${SECOND.ipv4} lladdr ${s3} dev r3
    neigh replace ${SECOND.ipv6} lladdr ${s3} dev r3`);
  await router.nft(OBSERVER);
}

function openPrograms({ router }: Lab): number[] {
  return inNamespace(router.name, () =>
    LISTENERS.flatMap((text) => {
      const address = makeSockaddr();
      writeSockaddr(address, parseEndpoint(text)!);
      const options = { address, mark: PROGRAM_MARK, shared: false };
      const tcp = check(openListener(options), "listen on", text);
      const udp = check(openUdpListener(options), "listen on", text);
      check(setInt(udp, SOL_SOCKET, SO_MARK, PROGRAM_MARK), "mark", text);
      return [tcp, udp];
    }));
}

/** Ends of the links on the other sides. */
class Links implements Disposable {
  readonly #lan: ReadonlyMap<string, RawLink>;
  readonly #macs: ReadonlyMap<string, Uint8Array>;
  readonly #wan: ReadonlyMap<string, RawLink>;

  constructor({ client, router, server }: Lab) {
    this.#lan = new Map(LAN.map((name) => [name, new RawLink(client, LINKS[name])]));
    this.#macs = new Map(LAN.map((name) => [name, etherKey(macOf(router, name))]));
    this.#wan = new Map(Object.entries(WAN).map(([name, far]) => [name, new RawLink(server, far)]));
  }

  send({ link, from, to, port, kind, mac, quic }: FirstPacket, sourcePort: number): void {
    this.#lan.get(link)!.send(buildFrame({
      source: parseIp(from)!,
      destination: parseIp(to)!,
      sourcePort,
      destinationPort: port,
      kind,
      ...(quic ? { payload: QUIC } : {}),
      sourceMac: etherKey(mac),
      destinationMac: this.#macs.get(link)!,
    }));
  }

  /** All that comes to the servers until no more does. */
  async seeUntilQuiet(): Promise<SeenOn[]> {
    const seen: SeenOn[] = [];
    for (let quiet = 0; quiet < 12; quiet++) {
      await delay(25);
      const before = seen.length;
      for (const [link, far] of this.#wan) {
        seen.push(
          ...far.frames().flatMap((frame) => {
            const one = readSeen(frame);
            return one === undefined ? [] : [{ ...one, link }];
          }),
        );
      }
      // The SYNs of the proxy that nobody answers come again.
      if (seen.length > before && quiet < 6) quiet = 0;
    }
    return seen;
  }

  [Symbol.dispose](): void {
    for (const link of [...this.#lan.values(), ...this.#wan.values()]) link[Symbol.dispose]();
  }
}

/** The keys in the sets of the observer, in hexadecimal. */
function readObserver(lab: Lab): Observed {
  const names = ["delivered", "relayed", "relayed4", "relayed6"];
  const sets = inNamespace(lab.router.name, () => {
    using connection = openNetlink("netfilter");
    return new Map(names.map((name) => {
      const elements = listElements(connection, { family: "inet", table: "observer", name });
      // A port is filled up to four bytes behind an address.
      return [name, new Set(elements.map(({ key }) => hexBytes(key.length > 2 ? key.slice(0, -2) : key)))];
    }));
  });
  return (set) => sets.get(set)!;
}
