/**
 * Options of the rules of a running proxy. Pure.
 * @module
 */
import type { Endpoint } from "../../../net/ip.ts";

/** Changes that other programs' rules may make to what the proxy sends. */
export interface OutputChanges {
  /** Destinations of what comes in, from the loopback interface too. */
  readonly incoming: boolean;
  /** Destinations of what this machine sends. */
  readonly outgoing: boolean;
  /** Its sources. */
  readonly source: boolean;
  /** Its route, by a mark. */
  readonly route: boolean;
  /** Marks of flows, anywhere: what is sent for a client has to have its flow's. */
  readonly flowMarks: boolean;
}

/** The answer where it cannot be told. */
export const ALL_CHANGES: OutputChanges = {
  incoming: true,
  outgoing: true,
  source: true,
  route: true,
  flowMarks: true,
};

/** The facts that the config and the machine alone do not tell. */
export interface LiveOptions {
  /** Workers that are asked. */
  readonly workers: number;
  /** The addresses of upstreams that are known by name. */
  readonly upstreams: readonly Endpoint[];
  /** The changes that what the proxy sends is to be kept from. */
  readonly others: OutputChanges;
  /** New flows are taken; false while the proxy drains: then nobody is asked. */
  readonly accepting: boolean;
  /** The way in which the kernel holds what clients of watched flows say: NFQUEUE, or a copy and a drop. */
  readonly holding: "queue" | "log";
  /** A flow of UDP to which nothing has been answered for so long asks again. */
  readonly udpKnownSeconds: number;
  /** The most that may be remembered of each. */
  readonly limits: {
    /** First packets on their way through the forward path. */
    readonly asking: number;
    /** Flows of UDP. */
    readonly known: number;
  };
}

/** Options of a proxy that is there for new flows. */
export const LIVE_OPTIONS: LiveOptions = {
  workers: 1,
  accepting: true,
  upstreams: [],
  holding: "log",
  // nft 1.0.6 ends with an assertion when it reads how an IPv6 flow is put into a map.
  others: { ...ALL_CHANGES, flowMarks: false },
  // Less than timeouts.udp-dns: a session must not end before its flow asks again.
  udpKnownSeconds: 5,
  limits: { asking: 65536, known: 65536 },
};
