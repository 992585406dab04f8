/**
 * The proxy's own policy, asked about a test's packet. Pure.
 * @module
 */
import { Flow, PROTOCOL_NUMBERS, putAddress, putHardwareAddress } from "../../../src/policy/flow.ts";
import { placeInterfaces, type PolicyImage } from "../../../src/policy/image.ts";
import { outcomeOf } from "../../../src/policy/outcome.ts";
import { DEFAULT_RULE, NOT_INTERCEPTED, Policy } from "../../../src/policy/policy.ts";
import { parseIp } from "../../../src/net/ip.ts";
import type { Outcome, TestPacket } from "./policies.ts";

/** A packet as the flow that it begins; interfaces have the numbers of their place in `links`, from 1 on. */
export function flowOf(packet: TestPacket, links: readonly string[]): Flow {
  const flow = new Flow();
  flow.protocol = packet.kind === "udp" ? PROTOCOL_NUMBERS.udp : PROTOCOL_NUMBERS.tcp;
  flow.ipv6 = packet.family === "ipv6";
  putAddress(flow.client, parseIp(packet.from)!.bytes, 0, flow.ipv6);
  putAddress(flow.destination, parseIp(packet.to)!.bytes, 0, flow.ipv6);
  flow.destinationPort = packet.port;
  flow.inputInterface = links.indexOf(packet.link) + 1;
  putHardwareAddress(flow, Uint8Array.from(packet.mac.split(":"), (byte) => Number.parseInt(byte, 16)));
  return flow;
}

/** Makes an evaluator from {@linkcode Policy.decide} for packets that begin a flow. */
export function decider(image: PolicyImage, links: readonly string[]): (packet: TestPacket) => Outcome {
  placeInterfaces(image, new Map(links.map((name, index) => [name, index + 1])));
  const policy = new Policy(image);
  return (packet) => {
    const flow = flowOf(packet, links);
    const rule = policy.decide(flow);
    if (rule === NOT_INTERCEPTED) return "forwarded";
    if (rule < DEFAULT_RULE) throw new Error(`Rule ${policy.undecided} is in doubt (${rule})`);
    const outcome = outcomeOf(policy.routeFor(rule, flow));
    switch (outcome.kind) {
      case "pass":
        return "forwarded";
      case "refuse":
        return outcome.silently ? "nowhere" : "refused";
      case "proxy":
        return "proxy";
      case "program":
        return `port ${outcome.port}`;
      case "watch":
        throw new Error("A rule that decides needs no name");
      default:
        throw new TypeError(`No outcome ${outcome satisfies never}`);
    }
  };
}
