/**
 * Firewalls at the input hook. What is delivered to the proxy passes it, as packets to the router itself do: from the
 * clients without connection state, from the servers established.
 * @module
 */
import { LOOPBACK, TABLE_NAME } from "../../constants.ts";
import { Marks } from "../../marks.ts";
import { OperationError } from "../../net/error.ts";
import { FAMILIES } from "../../net/families.ts";
import { hex } from "../../net/hex.ts";
import type { Family } from "../../net/ip.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { listChains, type NftChain } from "../../netlink/nft/chain.ts";
import { listElements } from "../../netlink/nft/sets/element.ts";
import { CT_STATE } from "../../netlink/nft/expr/ct.ts";
import { listRules } from "../../netlink/nft/rule.ts";
import { listSets, type NftSet } from "../../netlink/nft/sets/set.ts";
import { TCP_FLAGS } from "../../netlink/nft/phrases.ts";
import { LOOPBACK_INDEX } from "../../kernel/routing/state.ts";
import { type Finding, warning, works } from "../finding.ts";
import type { KnownPacket } from "../packet/known_packet.ts";
import type { KnownSet } from "../packet/packet_match.ts";
import { walkBaseChain, type WalkedTable } from "../packet/packet_walk.ts";
import type { Situation } from "../situation.ts";

const TABLE_FAMILIES: Readonly<Record<string, readonly Family[]>> = {
  inet: FAMILIES,
  ip: ["ipv4"],
  ip6: ["ipv6"],
};

/** A base chain at the input hook, with the table that it is in. */
export interface InputChain {
  readonly chain: NftChain;
  /** undefined where this program cannot read it. */
  readonly table: WalkedTable | undefined;
}

/** All of them but ours. Throws an OperationError, EPERM without privilege. */
export function readInputChains(connection: NetlinkConnection): InputChain[] {
  const chains = listChains(connection);
  return chains.filter((chain) => chain.base?.hook === "input" && TABLE_FAMILIES[chain.family] !== undefined)
    .filter((chain) => chain.table !== TABLE_NAME)
    .map((chain) => ({
      chain,
      table: orUndefined(() => readTable(connection, chain, chains)),
    }));
}

function readTable(connection: NetlinkConnection, chain: NftChain, chains: readonly NftChain[]): WalkedTable {
  const { family, table } = chain;
  const rules = listRules(connection, { family, table });
  const used = new Set(
    rules.flatMap(({ expressions }) => expressions.flatMap((e) => e.kind === "lookup" ? [e.set] : [])),
  );
  const sets = new Map<string, KnownSet | undefined>();
  for (const set of listSets(connection, { family, name: table })) {
    if (used.has(set.name)) sets.set(set.name, readSet(connection, set));
  }
  return {
    chains: chains.filter((other) => other.family === family && other.table === table),
    rules,
    findSet: (name) => sets.get(name),
  };
}

/** Sets of addresses can be huge, and the packet's addresses are not known: they are not read. */
function readSet(connection: NetlinkConnection, set: NftSet): KnownSet | undefined {
  if (set.type.some((type) => type === "ipv4_addr" || type === "ipv6_addr")) return undefined;
  const elements = orUndefined(() => listElements(connection, set));
  return elements && { elements, interval: set.flags?.includes("interval") === true };
}

/** What other programs put there may be of kinds that this one cannot read. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof OperationError && error.code === "EPERM") throw error;
    if (error instanceof OperationError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** A finding for each chain that drops something, or one that says that none does. */
export function judgeInputChains(chains: readonly InputChain[], situation: Situation): Finding[] {
  const findings = chains.flatMap((chain) => judgeChain(chain, situation));
  if (findings.length > 0) return findings;
  const names = chains.map(({ chain }) => describeChain(chain)).join(", ");
  return [
    works("input-chains", names === "" ? "no firewall at the input hook" : `firewall: ${names} accepts`),
  ];
}

function describeChain({ family, table, name }: NftChain): string {
  return `chain ${name} of table ${family} ${table}`;
}

function judgeChain({ chain, table }: InputChain, situation: Situation): Finding[] {
  const id = "input-chains";
  const what = `firewall: ${describeChain(chain)}`;
  const remedy = describeRemedy(chain, situation.config.kernel.mark);
  if (table === undefined) {
    const cause = "It cannot be read: whether it lets packets to the proxy pass is not known";
    return [warning(id, { what, cause, remedy })];
  }
  const walks = listPackets(chain, situation)
    .map(({ packet, label }) => ({ label, result: walkBaseChain(table, chain, packet) }))
    .filter(({ result }) => result.verdict === "drop");
  if (walks.length === 0) return [];
  const sure = walks.filter(({ result }) => !result.mayPass);
  const shown = sure.length > 0 ? sure : walks;
  const packets = describePackets(shown.map(({ label }) => label), TABLE_FAMILIES[chain.family]);
  const by = [...new Set(shown.map(({ result }) => result.by))].join(", ");
  return [warning(id, {
    what,
    blocks: sure.length > 0,
    cause: sure.length > 0
      ? `It drops packets that are delivered to the proxy (${packets}), by ${by}${describeOwner(chain)}`
      : `It may drop packets that are delivered to the proxy (${packets}), by ${by}, unless a rule accepts them ` +
        `that this program cannot judge${describeOwner(chain)}`,
    remedy,
  })];
}

/** Who sends a packet, and over what. */
interface PacketLabel {
  readonly family: Family;
  readonly text: string;
}

/** `tcp from clients on r0; udp from clients on r0 over ipv6`. */
function describePackets(labels: readonly PacketLabel[], all: readonly Family[]): string {
  const texts = [...new Set(labels.map(({ text }) => text))];
  return texts.map((text) => {
    const families = labels.filter((label) => label.text === text).map(({ family }) => family);
    return families.length < all.length ? `${text} over ${families.join(", ")}` : text;
  }).join("; ");
}

const OWNERS: Readonly<Record<string, string>> = {
  fw4: "OpenWrt's firewall made it",
  firewalld: "firewalld made it",
};

function describeOwner({ table, family }: NftChain): string {
  const owner = OWNERS[table] ??
    (table === "filter" && family !== "inet" ? "iptables-nft made it (ufw, Docker, a script)" : undefined);
  return owner === undefined ? "" : `; ${owner}`;
}

/** An accept in another chain would not help: each chain at the hook must let the packet pass. */
function describeRemedy({ family, table, name }: NftChain, mark: number): string {
  const bits = hex(mark);
  const rule = `meta mark and ${bits} == ${bits} accept`;
  const permanent = table === "fw4"
    ? `; to keep it, write "${rule}" into /usr/share/nftables.d/chain-pre/${name}/tproxy.nft`
    : "; to keep it, put it into that firewall's configuration";
  return `nft insert rule ${family} ${table} ${name} ${rule}${permanent}`;
}

/** Where a client goes, if the config does not name ports. */
const USUAL_PORT = 443;

/**
 * The first packet of a client, and the answer of a server, for each family, protocol and interface; and the first packet of a program
 * on the router where such are intercepted.
 */
function listPackets(chain: NftChain, situation: Situation): { packet: KnownPacket; label: PacketLabel }[] {
  const { config, families, lan, others, links } = situation;
  const { ports, protocols } = config.intercept;
  const marks = new Marks(config.kernel.mark);
  const index = (name: string) => links.find((link) => link.name === name)?.index ?? 0;
  const destinations = ports === "all" ? [USUAL_PORT] : ports.map(({ first }) => first);
  return families.filter((family) => TABLE_FAMILIES[chain.family].includes(family)).flatMap((family) =>
    protocols.flatMap((protocol) => {
      const common = { family, protocol, mark: marks.intercepted };
      const flags = protocol === "tcp" ? { tcpFlags: TCP_FLAGS.syn } : {};
      const from = (who: string, iifname: string) => ({
        family,
        text: `${protocol} from ${who} on ${iifname}`,
      });
      const clients = lan.flatMap((iifname) =>
        destinations.map((destinationPort) => ({
          packet: {
            ...common,
            ...flags,
            iifname,
            iif: index(iifname),
            ctState: CT_STATE.untracked,
            destinationPort,
          },
          label: from("clients", iifname),
        }))
      );
      const servers = others.map((iifname) => ({
        packet: { ...common, iifname, iif: index(iifname), ctState: CT_STATE.established },
        label: from("servers", iifname),
      }));
      const programs = !config.intercept.routerTraffic ? [] : destinations.map((destinationPort) => ({
        packet: {
          ...common,
          ...flags,
          mark: marks.router,
          iifname: LOOPBACK,
          iif: LOOPBACK_INDEX,
          ctState: CT_STATE.new,
          destinationPort,
        },
        label: from("programs on the router", LOOPBACK),
      }));
      return [...clients, ...servers, ...programs];
    })
  );
}
