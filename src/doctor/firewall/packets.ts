/**
 * The packets of an intercepted flow at each hook of the router, by the place at which flows are taken. Pure.
 * @module
 */
import { LOOPBACK } from "../../constants.ts";
import { LOOPBACK_INDEX } from "../../kernel/routing/ours.ts";
import type { Family } from "../../net/ip.ts";
import { CT_STATE } from "../../netlink/nft/expr/ct.ts";
import { TCP_FLAGS } from "../../netlink/nft/phrases.ts";
import type { KnownPacket, PacketLink, PacketNetwork } from "../packet/known_packet.ts";
import { marksOf, type Situation } from "../situation.ts";

/** The hooks at which a firewall can be in the way. */
export type WalkedHook = "ingress" | "prerouting" | "input" | "forward" | "output" | "postrouting";

/** A packet, and what to call it. */
export interface FlowPacket {
  readonly packet: KnownPacket;
  /** `tcp from clients on r0` */
  readonly text: string;
}

/** Ports that are tried where all are intercepted: SSH, DNS, the web, its other port, and a high one. */
export const TRIED_PORTS: readonly number[] = [22, 53, 80, 443, 8080, 50123];
const LOOP: PacketLink = { name: LOOPBACK, index: LOOPBACK_INDEX };

/** Lists those of one family at a hook. */
export function listPackets(hook: WalkedHook, family: Family, situation: Situation): FlowPacket[] {
  const { config: { intercept: { protocols } } } = situation;
  return protocols.flatMap((protocol) =>
    LISTS[situation.admission.inForce][hook]({ family, protocol, situation })
  );
}

interface Wanted {
  readonly family: Family;
  readonly protocol: "tcp" | "udp";
  readonly situation: Situation;
}

type List = (wanted: Wanted) => FlowPacket[];

/** All that comes in, before anything is known of its flow. */
function arriving(wanted: Wanted): FlowPacket[] {
  return [...fromClients(wanted, { mark: 0, ctState: CT_STATE.new }, "syn"), ...fromServers(wanted)];
}

const LISTS: Readonly<Record<"early" | "forward-path", Readonly<Record<WalkedHook, List>>>> = {
  early: {
    // Untracked, with the mark that has it delivered.
    input: (wanted) => [
      ...fromClients(
        wanted,
        { mark: marksOf(wanted.situation).intercepted, ctState: CT_STATE.untracked },
        "syn",
      ),
      ...fromServers(wanted),
      ...fromPrograms(wanted),
    ],
    output: (wanted) => [
      ...toClients(wanted, { mark: marksOf(wanted.situation).clientSocket, ctState: CT_STATE.untracked }),
      ...toServers(wanted, CT_STATE.new),
    ],
    ingress: arriving,
    // Rules that come before ours see it without the mark, and tracked.
    prerouting: (wanted) => [
      ...fromClients(
        wanted,
        { mark: marksOf(wanted.situation).intercepted, ctState: CT_STATE.untracked },
        "syn",
      ),
      ...fromServers(wanted),
    ],
    // Flows do not come to both.
    forward: (wanted) => through(wanted),
    postrouting: () => [],
  },
  "forward-path": {
    // The first packet comes in from the loopback, in a zone of its own; what follows is established.
    input: (wanted) => [
      ...onLoopback(wanted, { input: LOOP }),
      ...fromClients(
        wanted,
        { mark: marksOf(wanted.situation).intercepted, ctState: CT_STATE.established },
        "later",
      ),
      ...fromServers(wanted),
    ],
    // Where a chain drops new flows of the router, the proxy makes the entry in conntrack first.
    output: (wanted) => [
      ...onLoopback(wanted, { output: LOOP }),
      ...toClients(wanted, { mark: 0, ctState: CT_STATE.established }),
      ...toServers(wanted, CT_STATE.established),
    ],
    ingress: arriving,
    prerouting: (wanted) => [...arriving(wanted), ...onLoopback(wanted, { input: LOOP })],
    postrouting: (wanted) => [
      ...through(wanted),
      ...onLoopback(wanted, { output: LOOP }),
      ...toClients(wanted, { mark: 0, ctState: CT_STATE.established }),
      ...toServers(wanted, CT_STATE.established),
    ],
    forward: (wanted) => through(wanted),
  },
};

function portsOf({ situation: { config: { intercept: { ports } } } }: Wanted): readonly number[] {
  return ports === "all" ? TRIED_PORTS : ports.map(({ first }) => first);
}

function linkOf({ situation: { links } }: Wanted, name: string): PacketLink {
  return { name, index: links.find((link) => link.name === name)?.index ?? 0 };
}

/** The networks of the clients behind an interface; `undefined`: not known. */
function networksOf(
  { situation: { networks }, family }: Wanted,
  name: string,
): (PacketNetwork | undefined)[] {
  const known = networks.filter(({ link, prefix }) => link === name && prefix.address.family === family);
  return known.length === 0
    ? [undefined]
    : known.map(({ prefix: { address, length } }) => ({ bytes: address.bytes, length }));
}

/** Flags of a SYN, where the packet is one. */
function synOf({ protocol }: Wanted): { tcpFlags?: number } {
  return protocol === "tcp" ? { tcpFlags: TCP_FLAGS.syn } : {};
}

function fromClients(
  wanted: Wanted,
  facts: { mark: number; ctState: number },
  which: "syn" | "later",
): FlowPacket[] {
  const { family, protocol, situation: { lan } } = wanted;
  return lan.flatMap((name) =>
    networksOf(wanted, name).flatMap((source) =>
      portsOf(wanted).map((destinationPort) => ({
        text: `${protocol} from clients on ${name}`,
        packet: {
          family,
          protocol,
          ...facts,
          ...(which === "syn" ? synOf(wanted) : {}),
          input: linkOf(wanted, name),
          destinationPort,
          ...(source === undefined ? {} : { source }),
        },
      }))
    )
  );
}

function fromServers(wanted: Wanted): FlowPacket[] {
  const { family, protocol, situation: { others } } = wanted;
  return others.map((name) => ({
    text: `${protocol} from servers on ${name}`,
    packet: {
      family,
      protocol,
      mark: marksOf(wanted.situation).intercepted,
      ctState: CT_STATE.established,
      input: linkOf(wanted, name),
    },
  }));
}

function fromPrograms(wanted: Wanted): FlowPacket[] {
  const { family, protocol, situation: { config } } = wanted;
  if (!config.intercept.routerTraffic) return [];
  return portsOf(wanted).map((destinationPort) => ({
    text: `${protocol} from programs on the router on ${LOOPBACK}`,
    packet: {
      family,
      protocol,
      ...synOf(wanted),
      mark: marksOf(wanted.situation).router,
      ctState: CT_STATE.new,
      input: LOOP,
      destinationPort,
    },
  }));
}

/** The first packet of a client, when the proxy hands it to its listener through the loopback. */
function onLoopback(wanted: Wanted, at: { input: PacketLink } | { output: PacketLink }): FlowPacket[] {
  const { family, protocol } = wanted;
  return portsOf(wanted).map((destinationPort) => ({
    text: `${protocol} that the proxy sends to itself through ${LOOPBACK}`,
    packet: {
      family,
      protocol,
      ...synOf(wanted),
      ...at,
      mark: marksOf(wanted.situation).router,
      ctState: CT_STATE.new,
      destinationPort,
    },
  }));
}

function toClients(wanted: Wanted, facts: { mark: number; ctState: number }): FlowPacket[] {
  const { family, protocol, situation: { lan } } = wanted;
  return lan.flatMap((name) =>
    portsOf(wanted).map((sourcePort) => ({
      text: `${protocol} from the proxy to clients on ${name}`,
      packet: { family, protocol, ...facts, output: linkOf(wanted, name), sourcePort },
    }))
  );
}

function waysOut({ lan, others, network: { defaultRouteLinks } }: Situation): readonly string[] {
  const upstream = defaultRouteLinks.filter((name) => !lan.includes(name));
  return upstream.length > 0 ? upstream : others;
}

function toServers(wanted: Wanted, ctState: number): FlowPacket[] {
  const { family, protocol, situation } = wanted;
  const mark = situation.config.intercept.routerTraffic ? marksOf(wanted.situation).serverSocket : 0;
  return waysOut(situation).flatMap((name) =>
    portsOf(wanted).map((destinationPort) => ({
      text: `${protocol} from the proxy to servers on ${name}`,
      packet: {
        family,
        protocol,
        ...synOf(wanted),
        mark,
        ctState,
        output: linkOf(wanted, name),
        destinationPort,
      },
    }))
  );
}

/** A client's first packet on its way through the router, as it would go without a proxy. */
function through(wanted: Wanted): FlowPacket[] {
  const { situation } = wanted;
  return waysOut(situation).flatMap((out) =>
    fromClients(wanted, { mark: 0, ctState: CT_STATE.new }, "syn").map(({ packet }) => ({
      text: `${packet.protocol} from ${packet.input!.name} to ${out}`,
      packet: { ...packet, output: linkOf(wanted, out) },
    }))
  );
}
