/**
 * Random policies and packets, and the plain evaluator that says what becomes of one under the other. Pure.
 * @module
 */
import { type Family, type IpAddress, parseIp } from "../../../src/net/ip.ts";

/** A rule as it stands in the config. */
export interface RuleText {
  from?: string[];
  to?: string[];
  ports?: string[];
  protocol?: string;
  in?: string[];
  mac?: string[];
  action: string;
  silent?: boolean;
  "deliver-port"?: number;
}

/** A part of a config. */
export interface PolicyText {
  readonly intercept: {
    readonly interfaces: string[];
    readonly families: string[];
    readonly protocols: string[];
    readonly ports?: string[];
  };
  readonly rules: readonly RuleText[];
  readonly default: string;
}

/** A packet that begins a flow, or an ACK of none. */
export interface TestPacket {
  readonly family: Family;
  readonly from: string;
  readonly to: string;
  readonly port: number;
  readonly kind: "syn" | "ack" | "udp";
  readonly link: string;
  readonly mac: string;
}

/** End of a packet's way. */
export type Outcome = "proxy" | `port ${number}` | "forwarded" | "refused" | "nowhere";

/** Reads the rules as a person does and returns a packet's fate: the first that matches decides. */
export function evaluate(policy: PolicyText, packet: TestPacket): Outcome {
  const { intercept, rules } = policy;
  const protocol = packet.kind === "udp" ? "udp" : "tcp";
  const has = <T>(list: readonly T[] | undefined, matches: (item: T) => boolean) =>
    list?.some(matches) ?? true;
  const isPort = (range: string) => {
    const [first, last = first] = range.split("-").map(Number);
    return first <= packet.port && packet.port <= last;
  };
  const concerned = packet.kind !== "ack" && intercept.families.includes(packet.family) &&
    intercept.protocols.includes(protocol) && has(intercept.ports, isPort);
  if (!concerned) return "forwarded";
  const rule = rules.find((rule) =>
    has(rule.from, (network) => contains(network, packet.from)) &&
    has(rule.to, (network) => contains(network, packet.to)) && has(rule.ports, isPort) &&
    (rule.protocol ?? protocol) === protocol && has(rule.in, (name) => name === packet.link) &&
    has(rule.mac, (mac) => mac === packet.mac)
  );
  const action = rule?.action ?? policy.default;
  if (action === "block") return rule?.silent ? "nowhere" : "refused";
  if (action === "deliver") return `port ${rule!["deliver-port"]!}`;
  return action === "direct" ? "proxy" : "forwarded";
}

function contains(network: string, address: string): boolean {
  const [base, length] = network.split("/");
  const [a, b] = [parseIp(base)!, parseIp(address)!].map(bitsOf);
  return a.length === b.length && a.slice(0, Number(length)) === b.slice(0, Number(length));
}

/** `00001010…`, as long as the address. */
function bitsOf(address: IpAddress): string {
  return [...address.bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
}

/** A repeatable source of numbers (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** 0 to `limit` - 1. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  }

  one<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  /** One to three of them. */
  some<T>(items: readonly T[]): T[] {
    return Array.from({ length: 1 + this.below(3) }, () => this.one(items));
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
}

// Nested and overlapping networks, none of them the laboratory's own.
const NETWORKS: Readonly<Record<Family, readonly string[]>> = {
  ipv4: [
    "10.0.0.0/9",
    "10.1.0.0/16",
    "10.1.2.0/24",
    "10.1.2.3/32",
    "10.1.2.0/31",
    "10.1.2.128/25",
    "192.0.2.0/24",
    "198.51.100.7/32",
    "0.0.0.0/0",
    "128.0.0.0/1",
  ],
  ipv6: [
    "fd00::/9",
    "fd01::/16",
    "fd01:2::/32",
    "fd01:2::3/128",
    "fd01:2::/127",
    "2001:db8:1::/48",
    "::/0",
    "8000::/1",
  ],
};
const ADDRESSES: Readonly<Record<Family, readonly string[]>> = {
  ipv4: [
    "10.0.255.255",
    "10.1.0.0",
    "10.1.1.255",
    "10.1.2.0",
    "10.1.2.1",
    "10.1.2.2",
    "10.1.2.3",
    "10.1.2.4",
    "10.1.2.127",
    "10.1.2.128",
    "10.1.3.0",
    "10.1.255.255",
    "10.2.0.0",
    "10.128.0.1",
    "192.0.1.255",
    "192.0.2.0",
    "192.0.2.255",
    "198.51.100.6",
    "198.51.100.7",
    "198.51.100.8",
    "9.255.255.255",
    "223.255.255.255",
    "126.255.255.255",
    "128.0.0.0",
  ],
  ipv6: [
    "fcff:ffff::1",
    "fd00::1",
    "fd01::",
    "fd01:1:ffff::",
    "fd01:2::1",
    "fd01:2::2",
    "fd01:2::3",
    "fd01:2::4",
    "fd01:3::",
    "fd02::1",
    "fd80::1",
    "2001:db8:0:ffff::1",
    "2001:db8:1::1",
    "2001:db8:1:ffff::1",
    "2001:db8:2::1",
    "7fff:ffff::1",
    "8000::1",
  ],
};
const PORTS = ["53", "80", "443", "80-90", "1-79", "1000-2000", "1024-65535"] as const;
const PORT_NUMBERS = [1, 53, 79, 80, 81, 90, 91, 443, 999, 1000, 1023, 1024, 2000, 2001] as const;
const MACS = ["02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:01:02"] as const;
const BYSTANDER_MAC = "02:00:00:00:00:03";

/** Any policy; `links` are the LAN, `deliverPorts` those where a program listens. */
export function randomPolicy(
  random: Random,
  world: { links: readonly string[]; deliverPorts: readonly number[] },
): PolicyText {
  return {
    intercept: {
      interfaces: [...world.links],
      families: random.chance(15) ? [random.one(["ipv4", "ipv6"])] : ["ipv4", "ipv6"],
      protocols: random.chance(15) ? [random.one(["tcp", "udp"])] : ["tcp", "udp"],
      ...(random.chance(20) ? { ports: random.some(PORTS) } : {}),
    },
    rules: Array.from({ length: random.below(7) }, () => randomRule(random, world)),
    default: random.one(["bypass", "direct", "block"]),
  };
}

function randomRule(
  random: Random,
  world: { links: readonly string[]; deliverPorts: readonly number[] },
): RuleText {
  const networks = [...NETWORKS.ipv4, ...NETWORKS.ipv6];
  const action = random.one(["bypass", "direct", "block", "deliver"]);
  return {
    ...(random.chance(40) ? { from: random.some(networks) } : {}),
    ...(random.chance(50) ? { to: random.some(networks) } : {}),
    ...(random.chance(30) ? { ports: random.some(PORTS) } : {}),
    ...(random.chance(30) ? { protocol: random.one(["tcp", "udp"]) } : {}),
    ...(random.chance(20) ? { in: random.some(world.links) } : {}),
    ...(random.chance(20) ? { mac: random.some(MACS) } : {}),
    action,
    ...(action === "block" && random.chance(40) ? { silent: true } : {}),
    ...(action === "deliver" ? { "deliver-port": random.one(world.deliverPorts) } : {}),
  };
}

/** Any packet from one of the links. */
export function randomPacket(random: Random, links: readonly string[]): TestPacket {
  const family = random.one(["ipv4", "ipv6"] as const);
  return {
    family,
    from: random.one(ADDRESSES[family]),
    to: random.one(ADDRESSES[family]),
    port: random.one(PORT_NUMBERS),
    kind: random.one(["syn", "syn", "udp", "udp", "ack"] as const),
    link: random.one(links),
    mac: random.one([...MACS, BYSTANDER_MAC]),
  };
}
