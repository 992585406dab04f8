/**
 * The facts about the machine that a plan goes by. Read by network.ts; written by hand in tests.
 * @module
 */
import type { Family } from "../../net/ip.ts";

/** An interface. */
export interface ViewedLink {
  /** Interface name. */
  readonly name: string;
  /** A loopback interface. */
  readonly loopback: boolean;
  /** The bridge or bond that it is a port of. A VRF does not count: packets keep the port's name there. */
  readonly master?: string;
}

/** A route in the routing table that the config names, made by another program. */
export interface ForeignRoute {
  /** Address family. */
  readonly family: Family;
  /** `default` or `10.0.0.0/8`. */
  readonly destination: string;
  /** rtnetlink protocol number: who made it. */
  readonly protocol: number;
  /** `local … dev lo`: it delivers to this machine, as ours would. */
  readonly deliversLocally: boolean;
}

/** The machine. */
export interface NetworkView {
  /** Network interfaces. */
  readonly links: readonly ViewedLink[];
  /** Names of the interfaces through which a default route leads, in any table. */
  readonly defaultRouteLinks: readonly string[];
  /** The lowest priority of a routing rule of another program, the kernel's `local` (0) left out. */
  readonly firstForeignRule?: number;
  /**
   * Bridges whose packets pass the rules of IP as packets of a bridge (net.bridge.bridge-nf-call-iptables).
   */
  readonly filteredBridges?: readonly string[];
  /** Routes of other programs in our routing table. */
  readonly foreignRoutes: readonly ForeignRoute[];
  /** `off`: disabled by sysctl; `absent`: the kernel has none; `unknown`: there is no /proc to tell. */
  readonly ipv6: "on" | "off" | "absent" | "unknown";
  /** The machine forwards packets: net.ipv4.ip_forward, net.ipv6.conf.all.forwarding. */
  readonly forwarding: Readonly<Record<Family, boolean>>;
}
