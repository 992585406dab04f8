/**
 * The numbers and names of our own that the kernel or a user can see, each with the reason for its value.
 * @module
 */

/**
 * The nf_tables table (family inet). Not `tproxy`: that is a word of nft's grammar, and nobody could list or
 * delete it.
 */
export const TABLE_NAME = "transparent_proxy";

/** The beginning of the names of chains and sets in it that are on trial. */
export const TRIAL_PREFIX = "trial_";

/**
 * The fwmark bit of intercepted packets: the value on the kernel's TPROXY page. The bits above it: marks.ts.
 */
export const DEFAULT_MARK = 0x1;

/** The routing table that delivers marked packets locally: the value on the kernel's TPROXY page. */
export const DEFAULT_ROUTE_TABLE = 100;

/** The port of the transparent listener: the value on the kernel's TPROXY page. */
export const DEFAULT_PORT = 50080;

/**
 * The rtnetlink protocol number that our rules and routes carry, so that uninstall knows them. Not in
 * /etc/iproute2/rt_protos; from our port, 50080.
 */
export const ROUTE_PROTOCOL = 50;

/**
 * The priority of our policy-routing rules: after `local` (0), before those of VPNs (Tailscale 5210, mwan3
 * 1001).
 */
export const RULE_PRIORITY = 500;

/** `divert`: the LAN side, 10 before conntrack's defragmentation-and-tracking hook `raw`. */
export const DIVERT_PRIORITY = -310;

/** `steer` of a running proxy: it takes what asks, right behind `divert`. */
export const STEER_PRIORITY = -309;

/** `unanswered`: what still asks there, nobody has taken. */
export const UNANSWERED_PRIORITY = -308;

/** The first place behind conntrack (-200), before others change a mark or an address. */
export const TRACKED_PRIORITY = -199;

/** `late`: behind everybody who marks packets before they are routed. */
export const LATE_PRIORITY = 290;

/** `unpinned` of a running proxy: right behind `late`, when what is sent has its route. */
export const ROUTED_PRIORITY = 291;

/**
 * `hold` of a running proxy: behind those who mark packets for routing (mangle, -150), before NAT changes
 * their destination (-100): what is sent once more has to have both as they are here.
 */
export const HOLD_PRIORITY = -101;

/** Chains that give a flow the address that it has: before NAT of destinations (-100) and sources (100). */
export const KEEP_DESTINATION_PRIORITY = -110;
export const KEEP_SOURCE_PRIORITY = 90;

/** `ask`: behind all filters and NAT of sources, at the end of the forward path. */
export const ASK_PRIORITY = 300;

/**
 * `divert_replies`: 10 after `dstnat`, when replies have their destination back that a NAT had changed.
 * Earlier the kernel's socket lookup undoes the NAT of most packets by itself, but not of ICMPv6 errors.
 */
export const DIVERT_REPLIES_PRIORITY = -90;

/** `untracked`: raw, the last place before conntrack sees a packet of our own. */
export const UNTRACKED_PRIORITY = -300;

/**
 * `router`: 10 before `mangle`, where other programs mark what they route by mark: those see our mark, which
 * routes before theirs. After conntrack (-200), before NAT (-100): a destination that NAT changes is then the
 * one that the proxy sees.
 */
export const ROUTER_PRIORITY = -160;

/** `router_steer` of a running proxy: it takes what asks, right behind `router`. */
export const ROUTER_STEER_PRIORITY = -159;

/** `router_unanswered`: what still asks there, nobody has taken. */
export const ROUTER_UNANSWERED_PRIORITY = -158;

/**
 * `router_loopback`: after everybody else's chains. Since Linux 6.16 `fib` treats a packet that already has a
 * socket as one from outside and looks up its reverse path. A packet from the router to itself has none.
 */
export const ROUTER_LOOPBACK_PRIORITY = 300;

/** `served`: after the filters of everybody, who use 0 to 100. */
export const SERVED_PRIORITY = 300;

/** The loopback interface, in every network namespace. */
export const LOOPBACK = "lo";

/** The place of the config when the command line names none. */
export const DEFAULT_CONFIG_PATH = "/etc/tproxy/tproxy.yaml";

/**
 * The place into which the single file unpacks when root starts it and nothing names another
 * (ffi/launcher/place.c).
 */
export const DEFAULT_CACHE_PATH = "/var/cache/tproxy";

/**
 * The lists of the match `recent` by which rules of iptables know that a proxy runs: it shows itself there,
 * one list for each family. iptables' TPROXY target drops what has no listener, so it must not be asked then.
 */
export const ALIVE_LISTS: Readonly<Record<"ipv4" | "ipv6", string>> = {
  ipv4: "tproxy_ipv4",
  ipv6: "tproxy_ipv6",
};

/** The entry of these lists that stands for all: every address is it under a mask of the same. */
export const EVERYBODY: Readonly<Record<"ipv4" | "ipv6", string>> = { ipv4: "0.0.0.0", ipv6: "::" };

/** The lists of the same match that hold an install of iptables on trial, one for each family. */
export const TRIAL_LISTS: Readonly<Record<"ipv4" | "ipv6", string>> = {
  ipv4: "tproxy_trial_ipv4",
  ipv6: "tproxy_trial_ipv6",
};

/** A proxy that has not shown itself for so many seconds is dead: the least that `recent` can tell safely. */
export const ALIVE_SECONDS = 2;

/**
 * The time between two signs of life, milliseconds: a fifth of that time, so that a sign that comes late does
 * no harm.
 */
export const ALIVE_INTERVAL_MS = 400;

/**
 * The nf_tables table of a running proxy (family inet): it belongs to its netlink socket, and the kernel
 * removes it when the process ends, however it ends.
 */
export const LIVE_TABLE_NAME = "transparent_proxy_live";

/**
 * SO_PRIORITY of sockets towards clients. Rules know their packets by it (`meta priority`); unlike a mark it
 * is asked by no routing rule of anybody. "tp", and 0 for the queue disciplines that look at the lower bits.
 */
export const CLIENT_PRIORITY = 0x74700000;

/**
 * The same of what is dialled as the router would have forwarded it: rules for what the router itself sends
 * do not concern it. `translated`: NAT of sources has been done as well.
 */
export const DIAL_PRIORITY = { own: 0x74710000, translated: 0x74720000 } as const;

/** The conntrack zone of clients' legs: apart from their own flows and from our upstream legs. */
export function clientZone(listenerPort: number): number {
  return listenerPort;
}

/**
 * SO_PRIORITY of the sockets by which held segments are sent once more: `prefix`: more is held; `released`:
 * the flow is held no longer; `refused`: its client is told that it is reset.
 */
export const RESENT_PRIORITY = { prefix: 0x74730000, released: 0x74740000, refused: 0x74750000 } as const;

/**
 * Labels of flows in conntrack: bits that nobody else uses, unlike those of its mark. They can only be added,
 * so a second one says that the first counts no more.
 */
export const FLOW_LABEL = { watched: 120, released: 121 } as const;

/**
 * The NFLOG group, and the queue of NFQUEUE, by which a worker gets what is held; apart from those by which
 * it is asked.
 */
export function watchGroup(listenerPort: number, worker: number): number {
  return (listenerPort + 4096 + worker) & 0xffff;
}

/** The same for datagrams. */
export function watchDatagramGroup(listenerPort: number, worker: number): number {
  return (listenerPort + 8192 + worker) & 0xffff;
}

/**
 * The prefix of a segment (NFULA_PREFIX): where the client's stream begins, or what is held of it; or that of
 * one whose destination NAT is about to change; or a SYN that conntrack takes for one of an earlier flow.
 */
export const WATCH_PREFIX = { begin: "b", held: "h", redirected: "d", reused: "r" } as const;

/** The NFLOG group (`log group`) by which a worker is asked. */
export function questionGroup(listenerPort: number, worker: number): number {
  return (listenerPort + worker) & 0xffff;
}

/** The lowest bit of a client's port that chooses a worker: Linux gives even and odd ones to other calls. */
export const QUESTION_SHIFT = 1;

/**
 * The number of bits of a client's port that choose the worker that is asked. No more than it needs to divide
 * them well: a client counts its ports up, and its next connections are to be shared by all workers.
 */
export function questionBits(workers: number): number {
  return Math.min(8, Math.ceil(Math.log2(workers)) + 3);
}

/**
 * The least and the greatest value of these bits that a worker is asked about, both included; the listener of
 * the same worker is given the flow (sockets/steering.ts).
 */
export function questionShare(worker: number, workers: number): { first: number; last: number } {
  const values = 1 << questionBits(workers);
  return {
    first: Math.ceil((values * worker) / workers),
    last: Math.ceil((values * (worker + 1)) / workers) - 1,
  };
}

/**
 * The TTL (IPv6: hop limit) of a packet that goes to the loopback interface instead of a client's: it tells
 * the rules what becomes of it. All but the first are refusals, which the kernel itself sends; the first is
 * none with which hosts begin, so that the listener knows a packet that has asked.
 */
export const VERDICT_TTL = {
  accept: 251,
  reset: 1,
  hostUnreachable: 2,
  netUnreachable: 3,
  adminProhibited: 4,
  portUnreachable: 5,
} as const;

/** The prefix of a question (NFULA_PREFIX): where the original addresses stand. */
export const QUESTION_PREFIX = {
  /** No NAT: the packet's own addresses are the original ones. */
  plain: "p",
  /** The same of a flow that conntrack does not see. */
  untracked: "n",
  /** IPv4, TCP, NAT; the original addresses overwrite fields that nobody needs. See kernel/live. */
  squeezed: "s",
  /** The same of UDP, where they overwrite the protocol too, so that it must be told. */
  squeezedUdp: "u",
  /** IPv6: NAT; the packet as it would have left. `restored` comes next. */
  translated: "t",
  /** The same packet with its original addresses. */
  restored: "o",
} as const;

/**
 * The TTL (IPv6: hop limit) of a datagram that only conntrack sees, as if it went to a client: from then on
 * it takes the client's datagrams for established ones. None of VERDICT_TTL: where the client's packet was
 * not sent once more, this datagram is the first of its flow as well.
 */
export const UNSENT_TTL = 6;

/** The directory of what a running proxy leaves for other commands; it is gone at the next boot. */
export const RUN_DIRECTORY = "/run/tproxy";

/** Version of what a proxy hands over to its successor, and of how: another one is refused. */
export const HANDOVER_PROTOCOL = 1;
/** Version of how live connections follow: to one that knows another, none do, and end where they are. */
export const CONNECTIONS_PROTOCOL = 1;
/** Environment of a successor: the control socket of the proxy that it takes over from. */
export const TAKES_OVER = "TPROXY_TAKES_OVER";
/** Environment of a successor that writes, from then on, where that proxy has written. */
export const TAKES_OUTPUT = "TPROXY_TAKES_OUTPUT";
