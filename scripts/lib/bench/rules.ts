/**
 * `scripts/bench --rules`: plain forwarding against flows that a rule bypasses, with lists of networks of
 * several sizes. A laboratory for each of them, in turn.
 * @module
 */
import { parseArgs } from "node:util";
import { makeSockaddr, writeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { acceptSocket, closeFd, receive, send } from "../../../ffi/sockets/socket.ts";
import { connectFrom } from "../../../src/dataplane/upstream/direct.ts";
import { openListener } from "../../../src/dataplane/sockets/transparent.ts";
import { check } from "../../../src/net/error.ts";
import { parseEndpoint, parseIp, parsePrefix } from "../../../src/net/ip.ts";
import { etherKey } from "../../../src/netlink/nft/sets/set_type.ts";
import { listLinks } from "../../../src/netlink/route/link.ts";
import { openNetlink } from "../../../src/netlink/transport.ts";
import { inNamespace } from "../../../tests/laboratory/network/udp_calls.ts";
import { ADDRESSES, type Lab, openLab } from "../../../tests/laboratory/lab.ts";
import type { Namespace } from "../../../tests/laboratory/namespace.ts";
import { buildFrame } from "../../../tests/laboratory/network/packets.ts";
import { tproxy, writeConfig } from "../../../tests/laboratory/proxy/proxy.ts";
import { RawLink } from "../../../tests/laboratory/network/raw_link.ts";
import { until } from "../../../tests/laboratory/machine/wait.ts";
import { median } from "./statistics.ts";

const USAGE = `Usage: scripts/bench --rules [--rounds N]
  --rounds N    rounds; in each the contestants take turns (9)
Exit 1 if a target is missed.`;

/** Share of plain forwarding that bypass must keep. */
const TARGET = 0.97;
/** Networks in the list of the rule; 0: no rule, default bypass. */
const SIZES = [0, 1_000, 100_000] as const;

/**
 * A measurement, in bursts so short that other work of the machine hits few of them. One thread holds both
 * ends, and the kernel does everything in between before a call returns.
 */
interface Measure {
  readonly title: string;
  /** Repetitions in a burst. */
  readonly count: number;
  /** Does it so often. */
  burst(contestant: Contestant): void;
}

/** Each to a network of its own, which every list has. */
const FLOWS = 1_000;
const BURSTS = 20;
const MESSAGE = new Uint8Array(64);
const answer = new Uint8Array(64);

const MEASURES: readonly Measure[] = [
  {
    title: "TCP, 64 bytes there and back /s",
    count: 500,
    burst({ client, server }) {
      for (let i = 0; i < this.count; i++) {
        send(client, MESSAGE, MESSAGE.length);
        if (receive(server, answer, answer.length) !== MESSAGE.length) throw new Error("A request got lost");
        send(server, MESSAGE, MESSAGE.length);
        if (receive(client, answer, answer.length) !== MESSAGE.length) throw new Error("An answer got lost");
      }
    },
  },
  {
    title: "UDP, datagrams/s",
    count: 2 * FLOWS,
    burst({ link, frames }) {
      for (let i = 0; i < this.count; i++) link.send(frames[i % FLOWS]);
    },
  },
];

/** A laboratory whose router does one of what is compared. */
interface Contestant {
  readonly name: string;
  readonly lab: Lab;
  readonly frames: readonly Uint8Array<ArrayBuffer>[];
  readonly link: RawLink;
  /** Both ends of a TCP connection. */
  readonly client: number;
  readonly server: number;
}

/** Makes the router of a laboratory do what is measured. */
type Setup = (lab: Lab) => Promise<unknown>;

async function prepare(name: string, setUp: Setup): Promise<Contestant> {
  const lab = await openLab({ forwarding: true });
  await lab.router.ip(`route add default via ${ADDRESSES[4].server}`);
  await setUp(lab);
  const frames = networks(FLOWS).map((network, index) =>
    buildFrame({
      source: parseIp(ADDRESSES[4].client)!,
      destination: parsePrefix(network)!.address,
      sourcePort: 10_000 + index,
      destinationPort: 9,
      kind: "udp",
      sourceMac: etherKey(macOf(lab.client, "c0")),
      destinationMac: etherKey(macOf(lab.router, "r0")),
    })
  );
  return { name, lab, frames, link: new RawLink(lab.client, "c0"), ...await connect(lab) };
}

async function connect(lab: Lab): Promise<{ client: number; server: number }> {
  const address = makeSockaddr();
  writeSockaddr(address, parseEndpoint(`${ADDRESSES[4].server}:7000`)!);
  const listener = inNamespace(
    lab.server.name,
    () => check(openListener({ address, mark: 0, shared: false }), "listen"),
  );
  const client = inNamespace(lab.client.name, () => check(connectFrom(address, null), "connect"));
  let server = -1;
  await until(() => (server = acceptSocket(listener, makeSockaddr())) >= 0, { what: "a connection" });
  closeFd(listener);
  return { client, server };
}

/** The contestants; the first is the measure of the others. */
const SETUPS: readonly [name: string, setUp: Setup][] = [
  ["forwarding", () => Promise.resolve()],
  // Any rule that ever was there makes the kernel's look into the routing tables a longer one: VPNs and
  // several uplinks bring some.
  [
    "forwarding, a routing rule",
    (lab) => lab.router.ip("rule add priority 500 fwmark 1/1 iif r0 lookup 100"),
  ],
  ...SIZES.map((size): [string, Setup] => [
    `bypass, ${size} networks`,
    (lab) => tproxy(lab, ["install", "-c", configFor(lab, size)]),
  ]),
];

/** Networks of 28 bits that stay apart; the fewer, the further. */
function networks(count: number): string[] {
  const step = 32 * Math.round(SIZES[2] / count);
  return Array.from({ length: count }, (_, i) => {
    const address = (0xc8000000 + i * step) >>> 0;
    return `${[24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".")}/28`;
  });
}

/**
 * Makes a config whose rules drop every destination that the list does not name: a list without effect would
 * be seen.
 */
function configFor(lab: Lab, size: number): string {
  const intercept = { protocols: ["tcp", "udp"] };
  if (size === 0) return writeConfig(lab, { intercept, default: "bypass" });
  const list = lab.writeFile("networks", `${networks(size).join("\n")}\n${ADDRESSES[4].server}\n`);
  return writeConfig(lab, { intercept, default: "block", rules: [{ "to-file": list, action: "bypass" }] });
}

/** Runs the benchmark; gives the exit code. */
async function benchRules(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string", default: "9" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    say(USAGE);
    return 0;
  }
  const contestants: Contestant[] = [];
  try {
    for (const [name, setUp] of SETUPS) contestants.push(await prepare(name, setUp));
    return report(runRounds(contestants, Number(values.rounds)));
  } finally {
    for (const { link, client, server, lab } of contestants) {
      for (const fd of [client, server]) closeFd(fd);
      link[Symbol.dispose]();
      await lab.close();
    }
  }
}

/** The rates of each contestant, of each measure, one for each round. */
type Results = ReadonlyMap<string, readonly number[][]>;

function runRounds(contestants: readonly Contestant[], rounds: number): Results {
  const results = new Map(contestants.map(({ name }) => [name, MEASURES.map((): number[] => [])]));
  for (let round = 0; round < rounds; round++) {
    for (const [index, measure] of MEASURES.entries()) {
      const before = contestants.map(({ lab }) => received(lab));
      for (const [name, rate] of runMeasure(measure, inTurn(contestants, round))) {
        results.get(name)![index].push(rate);
      }
      contestants.forEach(({ name, lab }, index) => {
        const arrived = received(lab) - before[index];
        if (arrived < measure.count * BURSTS) throw new Error(`${name}: only ${arrived} packets arrived`);
      });
    }
    const last = contestants.map(({ name }) =>
      results.get(name)!.map((rates) => rates.at(-1)!.toFixed(0)).join(" ")
    );
    tell(`round ${round + 1}/${rounds}: ${last.join(", ")}`);
  }
  return results;
}

/** Bursts in turn; of each contestant the middle one, as a rate. */
function runMeasure(measure: Measure, contestants: readonly Contestant[]): Map<string, number> {
  const rates = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  for (let burst = 0; burst < BURSTS; burst++) {
    for (const contestant of inTurn(contestants, burst)) {
      const started = performance.now();
      measure.burst(contestant);
      rates.get(contestant.name)!.push(measure.count / (performance.now() - started) * 1000);
    }
  }
  return new Map([...rates].map(([name, values]) => [name, median(values)!]));
}

/** Each round begins with another one, so that none always follows the same. */
function inTurn<T>(items: readonly T[], round: number): T[] {
  return items.map((_, index) => items[(index + round) % items.length]);
}

/** Packets that the server's link has received so far. */
function received(lab: Lab): number {
  const text = inNamespace(lab.server.name, () => Deno.readTextFileSync("/proc/thread-self/net/dev"));
  return Number(/^ *s0:\s*\d+\s+(\d+)/m.exec(text)![1]);
}

function macOf(namespace: Namespace, name: string): string {
  return inNamespace(namespace.name, () => {
    using connection = openNetlink("route");
    return listLinks(connection).find((link) => link.name === name)!.mac;
  });
}

function report(results: Results): number {
  const medians = (name: string) => results.get(name)!.map((rates) => median(rates)!);
  const base = medians("forwarding");
  say(`\n| median | ${MEASURES.map(({ title }) => `${title} | of forwarding`).join(" | ")} |`);
  say(`| --- |${MEASURES.map(() => " ---: | ---: |").join("")}`);
  let held = true;
  for (const name of results.keys()) {
    const cells = medians(name).flatMap((value, index) => {
      const ratio = value / base[index];
      if (ratio < TARGET) held = false;
      return [value.toFixed(0), ratio.toFixed(3)];
    });
    say(`| ${[name, ...cells].join(" | ")} |`);
  }
  say(`\ntarget, ${TARGET} of forwarding: ${held ? "holds" : "MISSED"}`);
  return held ? 0 : 1;
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

function tell(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
}

if (import.meta.main) Deno.exit(await benchRules(Deno.args));
