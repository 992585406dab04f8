/**
 * All families of metrics, and the only place of their names and labels. No label has what clients send or
 * are: their number has no bound. Pure.
 * @module
 */
import { DIAL_BOUNDS_MS } from "../../dataplane/flows/dial_times.ts";
import type { SessionProtocol } from "../../dataplane/shared/session_key.ts";
import type { Ending } from "../../dataplane/shared/endings.ts";
import { FAMILIES as ADDRESS_FAMILIES } from "../../dataplane/shared/totals.ts";
import { histogram, type MetricFamily, several, single } from "./family.ts";
import type { Snapshot } from "./snapshot.ts";

/** Endings of connections that were taken, and of UDP sessions; what is refused has a family of its own. */
const ENDINGS: Readonly<Record<SessionProtocol, readonly Ending[]>> = {
  tcp: ["closed", "reset", "refused", "timed-out", "failed", "expired", "evicted", "lost"],
  udp: ["closed", "reset", "failed", "expired", "evicted", "lost"],
};

/** In the order of their text. */
export const FAMILIES: readonly MetricFamily[] = [
  single(
    "counter",
    "process_cpu_seconds_total",
    "Seconds of user and system time.",
    (s) => s.process.cpuSeconds,
  ),
  single("gauge", "process_resident_memory_bytes", "Resident memory.", (s) => s.process.residentBytes),
  single("gauge", "process_open_fds", "Open descriptors.", (s) => s.process.openDescriptors),
  single("gauge", "process_max_fds", "Descriptors that may be open.", (s) => s.process.mostDescriptors),
  single("gauge", "process_start_time_seconds", "Start, in seconds since 1970.", (s) => s.process.started),

  several("gauge", "tproxy_build_info", "1, labelled with the program and its runtime.", [
    "version",
    "commit",
    "deno",
  ], ({ build: { version, commit, deno } }) => [[version, commit, deno, 1]]),
  several(
    "counter",
    "tproxy_worker_busy_seconds_total",
    "Time that the loop of a worker has not slept: 1 in a second is all that it can.",
    ["worker"],
    (s) => s.account.workers.map(({ busyMs }, worker) => [String(worker), busyMs / 1000]),
  ),
  several(
    "gauge",
    "tproxy_worker_loop_lag_seconds",
    "The longest that flows of a worker have waited for their turn, since this was read last by anybody.",
    ["worker"],
    (s) => s.account.workers.map(({ longestMs }, worker) => [String(worker), longestMs / 1000]),
  ),

  single(
    "counter",
    "tproxy_connections_accepted_total",
    "TCP connections of clients that were accepted.",
    (s) => s.account.counters.accepted,
  ),
  several(
    "gauge",
    "tproxy_connections",
    "Live TCP connections, those included whose server is being dialled.",
    ["family"],
    (s) => liveOf(s, "tcp"),
  ),
  single(
    "gauge",
    "tproxy_connections_limit",
    "Live TCP connections that there may be.",
    (s) => s.limits.connections,
  ),
  single(
    "gauge",
    "tproxy_draining_connections",
    "Live TCP connections that an end waits for.",
    (s) => s.isDraining ? liveOf(s, "tcp").reduce((sum, [, count]) => sum + count, 0) : 0,
  ),
  several(
    "counter",
    "tproxy_connections_closed_total",
    "TCP connections that have ended, by the way in which they did: refused, timed_out and failed are the server's.",
    ["family", "reason"],
    (s) => endedOf(s, "tcp"),
  ),
  several(
    "counter",
    "tproxy_connections_refused_total",
    "TCP connections that the proxy itself has refused: limits, a client of the listener itself, a rule that blocks, " +
      "or nobody has asked for it.",
    ["reason"],
    (s) => [
      ["limit", s.account.counters.overLimit],
      ["per_client", countEnded(s, "tcp", "over-limit")],
      ["own_address", countEnded(s, "tcp", "looped")],
      ["rule", countEnded(s, "tcp", "blocked")],
      ["not_asked", s.account.counters.unasked],
    ],
  ),
  histogram(
    "tproxy_dial_duration_seconds",
    "Time from the begin of a TCP connection until its server, or upstream, has answered; a name that was waited for " +
      "is in it.",
    ["family"],
    DIAL_BOUNDS_MS.map((ms) => ms / 1000),
    (s) =>
      s.account.dials.map(({ family, counts, sumMs }) => ({ labels: [family], counts, sum: sumMs / 1000 })),
  ),
  single(
    "counter",
    "tproxy_accept_pauses_total",
    "Times that a worker has accepted nothing for a while.",
    (s) => s.account.counters.acceptPauses,
  ),
  several(
    "counter",
    "tproxy_relayed_bytes_total",
    "Bytes of payload that were passed on: up is to the server.",
    ["protocol", "family", "direction"],
    (s) =>
      s.traffic.flatMap(({ protocol, family, bytesUp, bytesDown }) => [
        [protocol, family, "up", bytesUp],
        [protocol, family, "down", bytesDown],
      ]),
  ),

  several("gauge", "tproxy_udp_sessions", "Live UDP sessions.", ["family"], (s) => liveOf(s, "udp")),
  single(
    "gauge",
    "tproxy_udp_sessions_limit",
    "Live UDP sessions that there may be.",
    (s) => s.limits.udpSessions,
  ),
  single(
    "counter",
    "tproxy_udp_sessions_opened_total",
    "UDP sessions that have begun.",
    (s) => s.account.counters.udpOpened,
  ),
  several(
    "counter",
    "tproxy_udp_sessions_ended_total",
    "UDP sessions that have ended, by the way in which they did.",
    ["family", "reason"],
    (s) => endedOf(s, "udp"),
  ),
  several("counter", "tproxy_udp_datagrams_total", "Datagrams that were sent on: up is to the server.", [
    "direction",
  ], ({ account: { counters } }) => [["up", counters.udpUp], ["down", counters.udpDown]]),
  several(
    "counter",
    "tproxy_udp_datagrams_dropped_total",
    "Datagrams that were not sent on: they could not be, a rule or a limit refuses them, nobody has asked their " +
      "sender, there could be no session, or they were sent to the listener itself.",
    ["reason"],
    ({ account: { counters } }) => [
      ["not_sendable", counters.udpDropped],
      ["refused", counters.udpRefused],
      ["filtered", counters.udpFiltered],
      ["no_session", counters.failed],
      ["own_address", counters.looped],
    ],
  ),

  single(
    "counter",
    "tproxy_questions_total",
    "First packets about which the kernel has asked.",
    (s) => s.account.counters.questions,
  ),
  several(
    "counter",
    "tproxy_questions_ended_total",
    "First packets that were repeated while the server was dialled, too many, lost before they could be read, told a " +
      "refusal, or whose client has not come for the answered connection.",
    ["result"],
    ({ account: { counters } }) => [
      ["repeated", counters.questionsRepeated],
      ["dropped", counters.questionsDropped],
      ["lost", counters.questionsLost],
      ["refused", counters.questionsRefused],
      ["unclaimed", counters.unclaimed],
    ],
  ),
  several(
    "counter",
    "tproxy_sniffs_total",
    "TCP connections whose name was to decide: where it was found, that there was none, that the client has said too " +
      "little in time, or that its server speaks first.",
    ["result"],
    ({ account: { counters } }) => [
      ["tls", counters.sniffTls],
      ["http", counters.sniffHttp],
      ["none", counters.sniffNone],
      ["timeout", counters.sniffTimeouts],
      ["server_first", counters.sniffServerFirst],
    ],
  ),
  single(
    "counter",
    "tproxy_watched_flows_total",
    "Flows that the kernel forwards until their name is read.",
    (s) => s.account.counters.watched,
  ),
  several(
    "counter",
    "tproxy_watched_packets_total",
    "Packets of watched flows that were held: parts that were passed on, those that have released their flow, those of " +
      "flows that were refused, and those that were dropped.",
    ["result"],
    ({ account: { counters } }) => [
      ["passed", counters.watchPassed],
      ["released", counters.watchReleased],
      ["refused", counters.watchRefused],
      ["dropped", counters.watchDropped],
    ],
  ),

  several(
    "counter",
    "tproxy_rule_matches_total",
    "Flows through the proxy that a rule has decided. What the kernel decides by itself is not among them.",
    ["rule", "action"],
    (s) => s.rules.map(({ name, action, flows }) => [name, action, flows]),
  ),
  several(
    "counter",
    "tproxy_rule_bytes_total",
    "Bytes of payload of flows that a rule has decided.",
    ["rule", "direction"],
    (s) =>
      s.rules.flatMap(({ name, bytesUp, bytesDown }) => [[name, "up", bytesUp], [name, "down", bytesDown]]),
  ),
  several(
    "counter",
    "tproxy_upstream_connections_total",
    "Flows through an upstream that have ended: carried, or failed since it or the server did not answer as wished.",
    ["upstream", "result"],
    (s) =>
      s.upstreams.flatMap((
        { name, carried, failed },
      ) => [[name, "carried", carried], [name, "failed", failed]]),
  ),
  several(
    "counter",
    "tproxy_upstream_bytes_total",
    "Bytes of payload through an upstream.",
    ["upstream", "direction"],
    (s) =>
      s.upstreams.flatMap((
        { name, bytesUp, bytesDown },
      ) => [[name, "up", bytesUp], [name, "down", bytesDown]]),
  ),
  several(
    "gauge",
    "tproxy_upstream_live_connections",
    "Live flows through an upstream.",
    ["upstream"],
    (s) => s.upstreams.map(({ name, connections }) => [name, connections]),
  ),
  several("gauge", "tproxy_upstream_up", "1: the upstream does its work; 0: it is down, or refuses us.", [
    "upstream",
  ], (s) => s.upstreams.map(({ name, isUp }) => [name, Number(isUp)])),

  single(
    "gauge",
    "tproxy_rules_in_force",
    "1: the kernel has the rules that the config and the network want, as far as is known.",
    (s) => Number(s.kernel.inForce),
  ),
  several(
    "counter",
    "tproxy_healings_total",
    "Objects in the kernel that were made again after another program had removed them.",
    ["object"],
    (s) => Object.entries(s.kernel.healings).map(([kind, count]) => [word(kind), count]),
  ),
  several(
    "counter",
    "tproxy_connections_unrelayed_total",
    "SYNs of connections that the kernel forwards, past the proxy, for a TCP option that no proxy can carry.",
    ["option"],
    (s) => Object.entries(s.unrelayed).map(([option, count]) => [word(option), count]),
  ),
  single(
    "gauge",
    "tproxy_config_last_reload_successful",
    "0: the last reload was refused.",
    (s) => Number(!s.reload.isRefused),
  ),
  single(
    "gauge",
    "tproxy_config_last_reload_success_timestamp_seconds",
    "Time at which the config came into force, in seconds since 1970.",
    (s) => s.reload.since / 1000,
  ),

  several(
    "counter",
    "tproxy_log_lines_dropped_total",
    "Lines of the log that were not written: repeated ones that were counted instead, and those that nobody took in time.",
    ["reason"],
    (s) => [["repeated", s.lines.heldBack], ["not_read", s.lines.lost]],
  ),
  several(
    "counter",
    "tproxy_access_lines_dropped_total",
    "Flows without a line in the access log: there were too many, or nobody took the lines in time.",
    ["reason"],
    (s) => [["rate", s.lines.access.overTheRate], ["not_read", s.lines.access.notReadInTime]],
  ),
];

function liveOf({ account }: Snapshot, protocol: SessionProtocol): [family: string, sessions: number][] {
  return account.live.filter((kind) => kind.protocol === protocol)
    .map(({ family, sessions }) => [family, sessions]);
}

function endedOf({ account: { ended } }: Snapshot, protocol: SessionProtocol): [string, string, number][] {
  return ADDRESS_FAMILIES.flatMap((family) => {
    const own = ended.filter((one) => one.protocol === protocol && one.family === family);
    return ENDINGS[protocol].map((ending): [string, string, number] => [
      family,
      word(ending),
      own.reduce((sum, { endings }) => sum + endings[ending], 0),
    ]);
  });
}

function countEnded({ account: { ended } }: Snapshot, protocol: SessionProtocol, ending: Ending): number {
  return ended.filter((one) => one.protocol === protocol)
    .reduce((sum, { endings }) => sum + endings[ending], 0);
}

function word(name: string): string {
  return name.replaceAll("-", "_");
}
