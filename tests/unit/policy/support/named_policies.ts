/**
 * Random policies with names and upstreams, and the oracle: what a person reads in them.
 */
import type { Config } from "../../../../src/config/types.ts";
import { type Conditions, conditionsOf, hasNames } from "../../../../src/policy/conditions.ts";
import { compareKeys, prefixRange } from "../../../../src/net/ranges.ts";
import { parseIp, type Prefix } from "../../../../src/net/ip.ts";
import { Random, randomPolicy, type TestPacket } from "../../../laboratory/proxy/policies.ts";

const UPSTREAMS = {
  a: { type: "socks5", address: "192.0.2.1:1080" },
  b: { type: "http-connect", address: "192.0.2.2:3128" },
  c: { type: "socks5", address: "192.0.2.3:1080", families: ["ipv6"] },
};
const GROUPS = { g: { members: ["b", "c"], "when-down": "direct" }, h: { members: ["a"] } };

/** A config as JSON, which is YAML. */
export function randomNamedPolicy(random: Random, links: readonly string[]): string {
  const policy = randomPolicy(random, { links, deliverPorts: [3129] });
  const rules = policy.rules.map((rule) => {
    if (random.chance(25)) {
      const { "deliver-port": _, silent: __, ...plain } = rule;
      Object.assign(rule, { ...plain, action: "proxy", upstream: random.one([..."abcgh"]) });
      delete rule["deliver-port"];
      delete rule.silent;
      if (random.chance(20)) Object.assign(rule, { "when-down": random.one(["block", "direct"]) });
    }
    const named = rule.action !== "deliver" && rule.silent === undefined && random.chance(60);
    return named ? { ...rule, domains: ["some.example"] } : rule;
  });
  const proxied = random.chance(20);
  return JSON.stringify({
    ...policy,
    rules,
    upstreams: UPSTREAMS,
    groups: GROUPS,
    ...(proxied ? { default: "proxy", "default-upstream": random.one([..."abcgh"]) } : {}),
  });
}

/** End of a flow: an action, and with what. */
export type End = string;

/** The oracle. `sets`: the rules whose sets hold the flow's name. */
export function endOf(config: Config, packet: TestPacket, sets: readonly number[]): End {
  const rule = config.rules.find((rule, index) =>
    meets(conditionsOf(rule), packet) && (!hasNames(rule) || sets.includes(index))
  );
  const action = rule?.action ?? config.default;
  if (action !== "proxy") return [action, rule?.silent === true, rule?.deliverPort].join();
  const name = rule === undefined ? config.defaultUpstream! : rule.upstream!;
  const group = config.groups[name] ?? { members: [name], whenDown: "block" };
  const usable = group.members.filter((member) => {
    const { udp, families } = config.upstreams[member];
    return (packet.kind !== "udp" || udp) && families.includes(packet.family);
  });
  const whenDown = rule?.whenDown ?? group.whenDown;
  return usable.length === 0 ? `${whenDown},false,` : `proxy ${usable.join()} or ${whenDown}`;
}

/** Tells whether a packet meets conditions, as a person reads them. */
export function meets(conditions: Conditions, packet: TestPacket): boolean {
  const { family, protocol, ports, interfaces, mac, from, to } = conditions;
  return (family ?? packet.family) === packet.family &&
    (protocol === undefined || (protocol === "udp") === (packet.kind === "udp")) &&
    (ports?.some(({ first, last }) => first <= packet.port && packet.port <= last) ?? true) &&
    (interfaces?.includes(packet.link) ?? true) && (mac?.includes(packet.mac) ?? true) &&
    (from?.some((network) => holds(network, packet.from)) ?? true) &&
    (to?.some((network) => holds(network, packet.to)) ?? true);
}

function holds(network: Prefix, text: string): boolean {
  const { family, bytes } = parseIp(text)!;
  const { from, to } = prefixRange(network);
  return network.address.family === family && compareKeys(from, bytes) <= 0 && compareKeys(bytes, to) <= 0;
}
