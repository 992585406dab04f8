/**
 * Firewalls of others at the input hook: each of their chains must let packets to the proxy pass. Pure.
 * @module
 */
import { LOOPBACK } from "../../constants.ts";
import { LOOPBACK_INDEX } from "../../kernel/routing/state.ts";
import { Marks } from "../../marks.ts";
import { hex } from "../../net/hex.ts";
import type { Family } from "../../net/ip.ts";
import type { NftChain } from "../../netlink/nft/chain.ts";
import { CT_STATE } from "../../netlink/nft/expr/ct.ts";
import { TCP_FLAGS } from "../../netlink/nft/phrases.ts";
import type { Check } from "../check.ts";
import { type Finding, notPermitted, warning, works } from "../finding.ts";
import type { FirewallFacts } from "../machine/firewalls.ts";
import { type InputChain, TABLE_FAMILIES } from "../machine/input_chains.ts";
import type { KnownPacket } from "../packet/known_packet.ts";
import { walkBaseChain } from "../packet/packet_walk.ts";
import type { Situation } from "../situation.ts";

/** The check. A kernel without nf_tables has a finding of that already. */
export const inputChains: Check<FirewallFacts> = {
  id: "input-chains",
  read: ({ firewalls }) => firewalls(),
  judge({ obstacle, inputChains }, situation) {
    if (inputChains !== undefined) return judgeInputChains(inputChains, situation);
    if (obstacle?.code !== "EPERM") return [];
    const what = "firewall and installed tables";
    return [notPermitted("input-chains", { what, errno: obstacle.errno, blocks: false })];
  },
};

/** Makes a finding for each chain that drops something, or one that says that none does. */
function judgeInputChains(chains: readonly InputChain[], situation: Situation): Finding[] {
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

/** The sender of a packet, and what it is sent over. */
interface PacketLabel {
  readonly family: Family;
  readonly text: string;
}

/** Writes `tcp from clients on r0; udp from clients on r0 over ipv6`. */
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

/**
 * Writes a rule for this chain: an accept in another would not help, each at the hook must let the packet
 * pass.
 */
function describeRemedy({ family, table, name }: NftChain, mark: number): string {
  const bits = hex(mark);
  const rule = `meta mark and ${bits} == ${bits} accept`;
  const permanent = table === "fw4"
    ? `; to keep it, write "${rule}" into /usr/share/nftables.d/chain-pre/${name}/tproxy.nft`
    : "; to keep it, put it into that firewall's configuration";
  return `nft insert rule ${family} ${table} ${name} ${rule}${permanent}`;
}

/** The port of a client's server, if the config does not name ports. */
const USUAL_PORT = 443;

/**
 * The first packet of a client, and the answer of a server, for each family, protocol and interface; and the
 * first packet of a program on the router where such are intercepted.
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
