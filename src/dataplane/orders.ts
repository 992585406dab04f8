/**
 * Messages between workers and the main thread: plain data, so that they can be posted to another thread.
 * @module
 */
import type { LogLevel } from "../log.ts";
import type { PolicyImage } from "../policy/image.ts";
import type { GivenConnections } from "./handover/connections.ts";
import type { WorkerEstate } from "./handover/estate.ts";
import type { GivingOrder } from "./handover/giving.ts";
import type { Settings } from "./settings.ts";
import type { SharedMemory } from "./shared/memory.ts";
import type { SessionKey } from "./shared/session_key.ts";
import type { Sockaddr } from "./upstream/upstream.ts";

/**
 * A listener that the main thread has opened. Descriptors belong to the process, so any thread may use them.
 */
export interface ListenerHandle {
  readonly fd: number;
  /** Its own address in C's layout, 32 bytes: a connection to it has no original destination. */
  readonly address: Uint8Array<ArrayBuffer>;
}

/** A raw socket for each family, -1 for none. */
export interface RawSockets {
  readonly ipv4: number;
  readonly ipv6: number;
}

/** The sockets of a worker for UDP. */
export interface UdpSockets {
  readonly listeners: readonly ListenerHandle[];
  /** The raw sockets through which clients are answered; -1: not this family. */
  readonly senders: RawSockets;
  /** The raw sockets through which clients are told of errors. */
  readonly errorSenders: RawSockets;
}

/** The sockets of a worker by which it is asked about first packets, and answers. */
export interface AskingSockets {
  /** The netlink socket of its NFLOG group. */
  readonly log: number;
  /** The raw sockets through which packets go to the loopback interface. */
  readonly raw: RawSockets;
  /** The raw socket through which those of IPv4 go the usual way that ICMP refuses; -1: not this family. */
  readonly refusals: number;
  readonly watch: WatchSockets;
}

/** The sockets of a worker by which it gets what is held of watched streams, and sends it on. */
export interface WatchSockets {
  /** The netlink socket of its NFLOG group. */
  readonly log: number;
  /** The same for datagrams. */
  readonly datagrams: number;
  /** The queue in which the kernel holds packets, instead of that; null: this kernel has none. */
  readonly queue: QueueSocket | null;
  /** Raw sockets. */
  readonly raw: RawSockets;
}

/** A queue of NFQUEUE: its number, and the netlink socket that has bound it. */
export interface QueueSocket {
  readonly number: number;
  readonly fd: number;
  /** The way by which verdicts go (netlink/server.ts); -1: this process sends them by itself. */
  readonly channel: number;
}

/** Pipes that a worker may have. */
export interface PipeOptions {
  readonly limit: number;
  /** Bytes. */
  readonly size: number;
}

/** Settings and policy in force from now on. */
export interface Adoption {
  /** One more for each; a worker tells it when it has taken it. */
  readonly number: number;
  readonly settings: Settings;
  /** null: there are no rules. */
  readonly policy: PolicyImage | null;
  /** Memory for the totals of this generation. */
  readonly totals: SharedArrayBuffer;
}

/** Parts of a worker. They stay the same when another thread takes the place of one that has failed. */
export interface WorkerParts {
  readonly index: number;
  readonly memory: SharedMemory;
  readonly listeners: readonly ListenerHandle[];
  /** null: UDP is not relayed. */
  readonly udp: UdpSockets | null;
  /** null: flows come without a question (`intercept.admission: early`). */
  readonly asking: AskingSockets | null;
  /** An eventfd that wakes the worker. */
  readonly wakeFd: number;
  /** The socket of the one who changes the kernel's rules; -1: this process may. */
  readonly netlink: number;
  /** SO_MARK of the sockets towards servers; 0: none, and no client is a program on the router itself. */
  readonly upstreamMark: number;
  readonly pipes: PipeOptions;
}

/** The parts of a worker, and what it begins with. */
export interface WorkerStart {
  readonly parts: WorkerParts;
  /** The adoption that it begins with. */
  readonly adoption: Adoption;
  /** Set where another process reads its sockets until it is told to begin. */
  readonly awaits?: boolean;
}

/** The upstream that has this place in the UpstreamHealth has these addresses from now on. */
export interface UpstreamAddresses {
  readonly kind: "addresses";
  readonly place: number;
  readonly list: readonly Sockaddr[];
}

/** An order to a running worker, which obeys between two turns. */
export type Order =
  | { readonly kind: "adopt"; readonly adoption: Adoption }
  | UpstreamAddresses
  | { readonly kind: "close"; readonly sessions: readonly SessionKey[] }
  /** Leave sockets to another process, or take them back. */
  | { readonly kind: "giving"; readonly step: GivingOrder }
  /** Take over connections that another process has parted with. */
  | { readonly kind: "take"; readonly connections: GivenConnections }
  /** Accept nothing new, let live connections end. */
  | { readonly kind: "drain" }
  /** End now. */
  | { readonly kind: "stop" };

/** The main thread's messages to a worker; the first is its start. */
export type WorkerRequest =
  | { readonly kind: "start"; readonly start: WorkerStart }
  /** Of one that awaits its begin: take over what another process has given. */
  | { readonly kind: "inherit"; readonly estate: WorkerEstate }
  | { readonly kind: "begin" }
  | Order;

/** A worker's reports to the main thread. */
export type WorkerMessage =
  /** The worker listens. */
  | { readonly kind: "ready" }
  /** Awaits its begin; and has taken over what it was given. */
  | { readonly kind: "prepared" }
  | { readonly kind: "inherited" }
  /** In a handover: nobody waits to be accepted; nothing is read that others are to read. */
  | { readonly kind: "quiet" }
  | { readonly kind: "given"; readonly estate: WorkerEstate }
  /** After it: connections are left alone for another process; and are no longer this worker's. */
  | { readonly kind: "parked"; readonly connections: GivenConnections }
  | { readonly kind: "parted" }
  | { readonly kind: "adopted"; readonly number: number }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly reason: string }
  | {
    readonly kind: "log";
    readonly level: LogLevel;
    readonly message: string;
    readonly fields: Record<string, string | number | boolean>;
  };
