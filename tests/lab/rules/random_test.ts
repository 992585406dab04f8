/**
 * Random policies, as the kernel applies them, against the proxy's own policy and an evaluator of ten lines:
 * frames go into the router, and what the router does with each is seen on the other side and in the
 * listeners.
 *
 * ```
 *   c0 ──── r0 ┐                 ┌ 127.0.0.1:50080, [::1]:50080   the proxy's listeners (SO_MARK 4)
 *              ├─ router ────────┤ 127.0.0.1:3129, [::1]:3129     a program's (SO_MARK 0x100)
 *   c2 ──── r2 ┘        └ r1     └ 0.0.0.0:3130, [::]:3130   another program's, on all (SO_MARK 0x200)
 *                          └──── s0: what is forwarded, and what is refused
 * ```
 * A packet is known by its source port.
 */
import assert from "node:assert/strict";
import { SO_MARK, SOL_SOCKET } from "../../../ffi/consts.ts";
import { makeSockaddr, writeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";
import { parseConfig } from "../../../src/config/load.ts";
import type { Admission } from "../../../src/config/types.ts";
import { openListener } from "../../../src/dataplane/sockets/transparent.ts";
import { openUdpListener } from "../../../src/dataplane/sockets/udp.ts";
import { withKernel } from "../../../src/kernel/machine/connections.ts";
import { applyInstall } from "../../../src/kernel/nft/apply.ts";
import { RecentLife } from "../../../src/kernel/liveness/recent_sign.ts";
import { readNetwork } from "../../../src/kernel/network.ts";
import { planInstall } from "../../../src/kernel/plan/plan.ts";
import { check } from "../../../src/net/error.ts";
import { parseEndpoint, parseIp } from "../../../src/net/ip.ts";
import { compilePolicy } from "../../../src/policy/compile.ts";
import { listElements } from "../../../src/netlink/nft/sets/element.ts";
import { etherKey } from "../../../src/netlink/nft/sets/set_type.ts";
import { openNetlink } from "../../../src/netlink/transport.ts";
import type { IptablesVariant } from "../../laboratory/proxy/backend.ts";
import { IPTABLES_VARIANTS, iptablesOnly, obstacleOf } from "../../laboratory/programs/iptables.ts";
import { inNamespace } from "../../laboratory/network/udp_calls.ts";
import { decider } from "../../laboratory/proxy/decided.ts";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { buildFrame, readFrame } from "../../laboratory/network/packets.ts";
import {
  evaluate,
  type Outcome,
  type PolicyText,
  Random,
  randomPacket,
  randomPolicy,
  type TestPacket,
} from "../../laboratory/proxy/policies.ts";
import { tproxy } from "../../laboratory/proxy/proxy.ts";
import { macOf, RawLink } from "../../laboratory/network/raw_link.ts";
import { labTest } from "../../laboratory/register.ts";
import { delay } from "../../laboratory/machine/wait.ts";

/** Links through which frames enter: the client's end of each LAN link of the router. */
const LINKS = { r0: "c0", r2: "c2" } as const;
const LAN = Object.keys(LINKS) as (keyof typeof LINKS)[];
const DELIVER_PORTS = [3129, 3130];
/** By the mark of its listener an observer knows to whom a packet was given. */
const LISTENERS: readonly { addresses: readonly string[]; mark: number; outcome: Outcome }[] = [
  { addresses: ["127.0.0.1:50080", "[::1]:50080"], mark: 4, outcome: "proxy" },
  { addresses: ["127.0.0.1:3129", "[::1]:3129"], mark: 0x100, outcome: "port 3129" },
  { addresses: ["0.0.0.0:3130", "[::]:3130"], mark: 0x200, outcome: "port 3130" },
];
/** Stands where the rules of a running proxy would: the mark tells who asks. */
const ASKING = `chain asking {
    type filter hook prerouting priority -309;
    meta l4proto { tcp, udp } meta mark & 4 == 4 add @m4 { th sport } drop
  }`;
const observer = ({ after, asks }: Backend) =>
  `table inet observer {
  ${LISTENERS.map(({ mark }) => `set m${mark} { type inet_service; size 65535; flags dynamic; }`).join("\n")}
  set untracked { type inet_service; size 65535; flags dynamic; }
  ${asks === true ? ASKING : ""}
  chain steered {
    type filter hook prerouting priority ${after};
    ${
    LISTENERS.map(({ mark }) => `meta l4proto { tcp, udp } socket mark ${mark} add @m${mark} { th sport }`)
      .join("\n")
  }
  }
  chain after_conntrack {
    type filter hook prerouting priority -199;
    meta l4proto { tcp, udp } ct state untracked add @untracked { th sport }
  }
}`;
const PACKETS = 60;
const FIRST_PORT = 20_000;

/** A way of the policies into the kernel: `after`, just after the hook in which sockets are assigned. */
interface Backend {
  readonly policies: number;
  readonly after: number;
  /** New flows for the proxy ask first: who asks is seen, and goes no further. */
  readonly asks?: true;
  install(lab: Lab, policy: PolicyText): Promise<void> | void;
}

const BACKENDS: Readonly<Record<string, Backend>> = {
  "nf_tables": { policies: 100, after: -305, install: (lab, policy) => install(lab, policy, "early") },
  "nf_tables, on the forward path": {
    policies: 100,
    after: -305,
    asks: true,
    install: (lab, policy) => install(lab, policy, "forward-path"),
  },
  ...Object.fromEntries(IPTABLES_VARIANTS.map((variant) => [
    `iptables-${variant}`,
    {
      policies: 20,
      after: -145,
      install: (lab, policy) => installIptables(lab, variant, policy),
    } satisfies Backend,
  ])),
};

for (const [name, backend] of Object.entries(BACKENDS)) {
  labTest(`install's rules do what their evaluator says, for random policies and packets, ${name}`, {
    forwarding: true,
    programs: name.startsWith("iptables") ? ["iptables"] : [],
    ...obstacleOf(name),
  }, (lab) => compareWithEvaluator(lab, backend));
}

async function compareWithEvaluator(lab: Lab, backend: Backend): Promise<void> {
  await prepare(lab, backend);
  const descriptors = openListeners(lab);
  using links = new Links(lab);
  try {
    const seed = Number(Deno.env.get("TPROXY_TEST_SEED") ?? 1);
    const counts = new Map<Outcome, number>();
    for (let round = 0; round < backend.policies; round++) {
      const random = new Random(seed * 1000 + round);
      const policy = randomPolicy(random, { links: LAN, deliverPorts: DELIVER_PORTS });
      const decide = decider(compilePolicy(parseConfig(JSON.stringify(policy), "policy"), round), LAN);
      await backend.install(lab, policy);
      const packets = Array.from({ length: PACKETS }, () => randomPacket(random, LAN));
      const firstPort = FIRST_PORT + round * (PACKETS + 2);
      const outcomes = await send(lab, { links, packets, firstPort, quiet: backend.asks === true });
      for (const [index, packet] of packets.entries()) {
        const expected = fateOf(policy, packet, backend);
        counts.set(expected, (counts.get(expected) ?? 0) + 1);
        const context = () => JSON.stringify({ seed, round, packet, policy }, undefined, 1);
        assert.equal(outcomes[index].outcome, expected, context());
        // An ACK of no connection is no flow: nobody asks the policy.
        if (packet.kind !== "ack") assert.equal(decide(packet), expected, `Policy.decide(); ${context()}`);
        const untracked = expected === "proxy" && backend.asks !== true;
        assert.equal(outcomes[index].untracked, untracked, `conntrack; ${context()}`);
      }
    }
    // A run that never blocks or never delivers proves little.
    for (const outcome of ["proxy", "port 3129", "port 3130", "forwarded", "refused", "nowhere"] as const) {
      const enough = 0.3 * backend.policies;
      assert.ok((counts.get(outcome) ?? 0) > enough, `${outcome}: ${counts.get(outcome)} packets`);
    }
  } finally {
    descriptors.forEach(closeFd);
  }
}

/** On the forward path, what refuses connections refuses segments of unknown ones too. */
function fateOf(policy: PolicyText, packet: TestPacket, { asks }: Backend): Outcome {
  if (packet.kind !== "ack" || asks !== true) return evaluate(policy, packet);
  const fate = evaluate(policy, { ...packet, kind: "syn" });
  return fate === "refused" || fate === "nowhere" ? fate : "forwarded";
}

/** A second LAN link, routes back by the server, no limit on ICMP. */
async function prepare(lab: Lab, backend: Backend): Promise<void> {
  const { client, router } = lab;
  await router.ip(`
    link add r2 type veth peer name c2 netns ${client.name}
    link set r2 up
    route add default via ${ADDRESSES[4].server}
    route add default via ${ADDRESSES[6].server}`);
  await client.ip("link set c2 up");
  await router.writeSysctl({
    "net.ipv4.conf.all.rp_filter": 0,
    "net.ipv4.conf.r0.rp_filter": 0,
    "net.ipv4.conf.r2.rp_filter": 0,
    "net.ipv4.icmp_ratelimit": 0,
    "net.ipv4.icmp_ratemask": 0,
    "net.ipv6.icmp.ratelimit": 0,
    "net.ipv6.icmp.ratemask": "",
  });
  const mac = macOf(lab.server, "s0");
  await router.ip(`
    neigh replace ${ADDRESSES[4].server} lladdr ${mac} dev r1
    neigh replace ${ADDRESSES[6].server} lladdr ${mac} dev r1`);
  await router.nft(observer(backend));
}

function openListeners(lab: Lab): number[] {
  return inNamespace(
    lab.router.name,
    () =>
      LISTENERS.flatMap(({ addresses, mark }) =>
        addresses.flatMap((text) => {
          const address = makeSockaddr();
          writeSockaddr(address, parseEndpoint(text)!);
          const options = { address, mark, shared: false };
          const tcp = check(openListener(options), "listen on", text);
          const udp = check(openUdpListener(options), "listen on", text);
          check(setInt(udp, SOL_SOCKET, SO_MARK, mark), "mark", text);
          return [tcp, udp];
        })
      ),
  );
}

function install(lab: Lab, policy: PolicyText, admission: Admission): void {
  const parsed = parseConfig(JSON.stringify(policy), "policy");
  const config = { ...parsed, intercept: { ...parsed.intercept, admission } };
  inNamespace(lab.router.name, () =>
    withKernel((connections) => {
      const view = readNetwork({ connection: connections.route, readTextFile: Deno.readTextFileSync }, 100);
      applyInstall(planInstall(config, view), connections);
    }));
}

/**
 * With a listener that shows itself, as `tproxy run` does; iptables cannot deliver where it must know of
 * listeners.
 */
async function installIptables(lab: Lab, variant: IptablesVariant, policy: PolicyText): Promise<void> {
  const delivers = policy.rules.some(({ action }) => action === "deliver");
  const intercept = { ...policy.intercept, "on-failure": delivers ? "drop" : "open" };
  const config = { version: 1, ...policy, intercept, kernel: { backend: "iptables" } };
  const path = lab.writeFile("policy.yaml", JSON.stringify(config));
  await tproxy(lab, ["install", "-c", path], iptablesOnly(lab, variant));
  inNamespace(lab.router.name, () => new RecentLife(["ipv4", "ipv6"]).once());
}

/** The client's ends of the LAN, and the server's end of the WAN. */
class Links implements Disposable {
  readonly #lan: ReadonlyMap<string, RawLink>;
  readonly #macs: ReadonlyMap<string, Uint8Array>;
  readonly #server: RawLink;

  constructor(lab: Lab) {
    this.#lan = new Map(LAN.map((name) => [name, new RawLink(lab.client, LINKS[name])]));
    this.#macs = new Map(LAN.map((name) => [name, etherKey(macOf(lab.router, name))]));
    this.#server = new RawLink(lab.server, "s0");
  }

  send(packet: TestPacket, sourcePort: number): void {
    this.#lan.get(packet.link)!.send(buildFrame({
      source: parseIp(packet.from)!,
      destination: parseIp(packet.to)!,
      sourcePort,
      destinationPort: packet.port,
      kind: packet.kind,
      sourceMac: etherKey(packet.mac),
      destinationMac: this.#macs.get(packet.link)!,
    }));
  }

  /** Reads the fate of the packets at the server's end, by their source ports. */
  outcomes(): Map<number, Outcome> {
    const seen = new Map<number, Outcome>();
    for (const frame of this.#server.frames()) {
      const packet = readFrame(frame);
      if (packet === undefined) continue;
      const { kind, sourcePort, destinationPort } = packet;
      if (kind === "unreachable") seen.set(sourcePort, "refused");
      else if (kind === "rst") seen.set(destinationPort, "refused");
      else if (kind !== "syn-ack") seen.set(sourcePort, "forwarded");
    }
    return seen;
  }

  [Symbol.dispose](): void {
    for (const link of [...this.#lan.values(), this.#server]) link[Symbol.dispose]();
  }
}

/** Packets that are sent through links, each from a port of its own. */
interface Volley {
  readonly links: Links;
  readonly packets: readonly TestPacket[];
  readonly firstPort: number;
  /** No packet is sure to come through: the end is when no more do. */
  readonly quiet: boolean;
}

/** Sends all packets, and tells what became of each. */
async function send(lab: Lab, volley: Volley): Promise<{ outcome: Outcome; untracked: boolean }[]> {
  const { links, packets, firstPort, quiet } = volley;
  packets.forEach((packet, index) => links.send(packet, firstPort + index));
  const seen = quiet ? await seeUntilQuiet(links) : await seeLast(volley);
  const observed = readObserver(lab);
  return packets.map((_, index) => {
    const port = firstPort + index;
    const taken = LISTENERS.find(({ mark }) => observed(`m${mark}`).has(port));
    return {
      outcome: taken?.outcome ?? seen.get(port) ?? "nowhere",
      untracked: observed("untracked").has(port),
    };
  });
}

async function seeUntilQuiet(links: Links): Promise<Map<number, Outcome>> {
  const seen = new Map<number, Outcome>();
  for (let quiet = 0; quiet < 5;) {
    await delay(10);
    const news = links.outcomes();
    quiet = news.size > 0 ? 0 : quiet + 1;
    for (const [port, outcome] of news) seen.set(port, outcome);
  }
  return seen;
}

/** Sends one more packet through each link, and waits until it has come through. */
async function seeLast({ links, packets, firstPort }: Volley): Promise<Map<number, Outcome>> {
  const last = LAN.map((link, index) => ({ link, port: firstPort + packets.length + index }));
  // An ACK of no connection is forwarded, whatever the policy.
  const ack = { family: "ipv4", from: "10.1.2.3", to: "192.0.2.1", port: 80, kind: "ack" } as const;
  for (const { link, port } of last) links.send({ ...ack, link, mac: "02:00:00:00:00:03" }, port);
  const seen = new Map<number, Outcome>();
  for (let attempt = 0; !last.every(({ port }) => seen.has(port)); attempt++) {
    if (attempt > 500) throw new Error("The last packet did not come through");
    await delay(10);
    for (const [port, outcome] of links.outcomes()) seen.set(port, outcome);
  }
  return seen;
}

/** The source ports in a set of the observer. */
function readObserver(lab: Lab): (set: string) => ReadonlySet<number> {
  const names = [...LISTENERS.map(({ mark }) => `m${mark}`), "untracked"];
  const sets = inNamespace(lab.router.name, () => {
    using connection = openNetlink("netfilter");
    return new Map(names.map((name) => {
      const elements = listElements(connection, { family: "inet", table: "observer", name });
      return [name, new Set(elements.map(({ key }) => key[0] * 256 + key[1]))];
    }));
  });
  return (set) => sets.get(set)!;
}
