/**
 * The router, as far as the way of one flow depends on it.
 * @module
 */
import type { Protocol } from "../../config/types.ts";
import { hasListener } from "../../kernel/listeners/socket_table.ts";
import { OperationError } from "../../net/error.ts";
import { type Family, type IpAddress, isOfLinkAlone } from "../../net/ip.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { type LinkAddress, listAddresses } from "../../netlink/route/address.ts";
import { type Link, listLinks } from "../../netlink/route/link.ts";
import type { Route } from "../../netlink/route/route.ts";
import { lookUpRoute, type RouteQuestion } from "../../netlink/route/route_question.ts";
import { openNetlink } from "../../netlink/transport.ts";
import type { FirewallChain } from "../firewall/chain.ts";
import type { MachineFiles } from "../machine/files.ts";
import { readNftChains } from "../machine/firewall_chains.ts";
import { readLegacyChains } from "../machine/legacy/read_tables.ts";
import { isDeciding } from "./our_rule.ts";

/** The kernel's answer to where a packet goes: a route, or the reason why there is none. */
export type RouteAnswer = { readonly route: Route } | { readonly error: OperationError };

/** See the module. Rules are read once, routes are asked for. */
export interface FlowMachine {
  /** Base chains of others. */
  readonly chains: readonly FirewallChain[];
  /** The chain of an install that decides on new flows of clients; undefined: nothing is installed there. */
  readonly ours: FirewallChain | undefined;
  /** The reason why the rules could not be read. */
  readonly obstacle: OperationError | undefined;
  readonly links: readonly Link[];
  readonly addresses: readonly LinkAddress[];
  lookUp(question: RouteQuestion): RouteAnswer;
  listens(protocol: Protocol, family: Family, port: number): boolean;
}

/** Reads the machine of the calling thread's network namespace; `route` is kept for questions. */
export function readFlowMachine(route: NetlinkConnection, files: MachineFiles): FlowMachine {
  const listeners = new Map<string, boolean>();
  return {
    ...readRules(files),
    links: listLinks(route),
    addresses: listAddresses(route),
    lookUp(question) {
      try {
        return { route: lookUpRoute(route, question) };
      } catch (error) {
        if (error instanceof OperationError) return { error };
        throw error;
      }
    },
    listens(protocol, family, port) {
      const key = `${protocol} ${family} ${port}`;
      const known = listeners.get(key);
      if (known !== undefined) return known;
      const found = hasListener(
        { protocol, family, port, anyAddress: true },
        (path) => files.readText(path) ?? "",
      );
      listeners.set(key, found);
      return found;
    },
  };
}

function readRules(files: MachineFiles): Pick<FlowMachine, "chains" | "ours" | "obstacle"> {
  const legacy = readLegacyChains(files);
  try {
    using connection = openNetlink("netfilter");
    return {
      chains: [...readNftChains(connection, { addresses: true }), ...legacy],
      ours: readNftChains(connection, { addresses: true, ours: true }).find(isDeciding),
      obstacle: undefined,
    };
  } catch (error) {
    if (error instanceof OperationError) return { chains: legacy, ours: undefined, obstacle: error };
    throw error;
  }
}

/** The name of an interface. */
export function linkName({ links }: FlowMachine, index: number | undefined): string | undefined {
  return links.find((link) => link.index === index)?.name;
}

/** The address that masquerade gives to what leaves by an interface for a neighbour. */
export function ownAddress(
  { addresses }: FlowMachine,
  linkIndex: number | undefined,
  neighbour: IpAddress,
): IpAddress | undefined {
  const own = addresses.filter((entry) => entry.linkIndex === linkIndex)
    .map(({ prefix }) => prefix)
    .filter(({ address }) => address.family === neighbour.family && !isOfLinkAlone(address));
  const near = own.find(({ address, length }) => sharesBits(address.bytes, neighbour.bytes, length));
  return (near ?? own.at(0))?.address;
}

function sharesBits(a: Uint8Array, b: Uint8Array, length: number): boolean {
  return a.every((byte, at) => {
    const bits = Math.max(0, Math.min(8, length - 8 * at));
    return ((byte ^ b[at]) & (0xff00 >> bits) & 0xff) === 0;
  });
}
