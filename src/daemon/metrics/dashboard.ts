/**
 * A dashboard for Grafana, in the form that it imports: a panel for each question that an administrator asks.
 * Pure.
 * @module
 */

/** A panel. Each of its queries has a text for the legend; `[I]` in one stands for the chosen routers. */
interface Panel {
  readonly title: string;
  /** Grafana's name of the unit; default: a plain number. */
  readonly unit?: string;
  readonly queries: Readonly<Record<string, string>>;
}

/** Query of what a counter gains in a second, by labels. */
function rate(counter: string, by: string): string {
  return `sum by (${by}) (rate(${counter}[I][$__rate_interval]))`;
}

function dialQuantile(part: number): string {
  return `histogram_quantile(${part}, ${rate("tproxy_dial_duration_seconds_bucket", "family, le")})`;
}

const PANELS: readonly Panel[] = [
  {
    title: "Is all well? (1: yes)",
    queries: {
      "rules in force {{instance}}": "tproxy_rules_in_force[I]",
      "last reload taken over {{instance}}": "tproxy_config_last_reload_successful[I]",
      "upstream {{upstream}}": "tproxy_upstream_up[I]",
    },
  },
  {
    title: "Bytes relayed",
    unit: "Bps",
    queries: { "{{protocol}} {{direction}}": rate("tproxy_relayed_bytes_total", "protocol, direction") },
  },
  {
    title: "Live connections and UDP sessions",
    queries: {
      "TCP {{family}}": "sum by (family) (tproxy_connections[I])",
      "TCP, at most": "sum(tproxy_connections_limit[I])",
      "UDP {{family}}": "sum by (family) (tproxy_udp_sessions[I])",
      "UDP, at most": "sum(tproxy_udp_sessions_limit[I])",
      "TCP, an end waits for": "sum(tproxy_draining_connections[I])",
    },
  },
  {
    title: "New connections and UDP sessions",
    unit: "cps",
    queries: {
      "TCP {{instance}}": rate("tproxy_connections_accepted_total", "instance"),
      "UDP {{instance}}": rate("tproxy_udp_sessions_opened_total", "instance"),
    },
  },
  {
    title: "Time until servers answer",
    unit: "s",
    queries: {
      "half {{family}}": dialQuantile(0.5),
      "95 % {{family}}": dialQuantile(0.95),
    },
  },
  {
    title: "Ends of TCP connections and UDP sessions",
    unit: "cps",
    queries: {
      "TCP {{reason}}": rate("tproxy_connections_closed_total", "reason"),
      "UDP {{reason}}": rate("tproxy_udp_sessions_ended_total", "reason"),
    },
  },
  {
    title: "Refused and dropped",
    unit: "cps",
    queries: {
      "TCP: {{reason}}": rate("tproxy_connections_refused_total", "reason"),
      "datagrams: {{reason}}": rate("tproxy_udp_datagrams_dropped_total", "reason"),
      "past the proxy: {{option}}": rate("tproxy_connections_unrelayed_total", "option"),
      "accepting pauses": rate("tproxy_accept_pauses_total", "instance"),
    },
  },
  {
    title: "Datagrams",
    unit: "pps",
    queries: { "{{direction}}": rate("tproxy_udp_datagrams_total", "direction") },
  },
  {
    title: "Flows by rule",
    unit: "cps",
    queries: { "{{rule}} ({{action}})": `topk(10, ${rate("tproxy_rule_matches_total", "rule, action")})` },
  },
  {
    title: "Bytes by rule",
    unit: "Bps",
    queries: { "{{rule}} {{direction}}": `topk(10, ${rate("tproxy_rule_bytes_total", "rule, direction")})` },
  },
  {
    title: "Flows through upstreams",
    unit: "cps",
    queries: {
      "{{upstream}} {{result}}": rate("tproxy_upstream_connections_total", "upstream, result"),
      "{{upstream}}, live": "sum by (upstream) (tproxy_upstream_live_connections[I])",
    },
  },
  {
    title: "Bytes through upstreams",
    unit: "Bps",
    queries: { "{{upstream}} {{direction}}": rate("tproxy_upstream_bytes_total", "upstream, direction") },
  },
  {
    title: "First packets and names",
    unit: "cps",
    queries: {
      "asked about": rate("tproxy_questions_total", "instance"),
      "asked about: {{result}}": rate("tproxy_questions_ended_total", "result"),
      "name: {{result}}": rate("tproxy_sniffs_total", "result"),
      "watched": rate("tproxy_watched_flows_total", "instance"),
      "watched packets: {{result}}": rate("tproxy_watched_packets_total", "result"),
    },
  },
  {
    title: "Repairs and lost lines, in an hour",
    queries: {
      "{{object}} made again": "sum by (object) (increase(tproxy_healings_total[I][1h]))",
      "log lines: {{reason}}": "sum by (reason) (increase(tproxy_log_lines_dropped_total[I][1h]))",
      "access log lines: {{reason}}": "sum by (reason) (increase(tproxy_access_lines_dropped_total[I][1h]))",
    },
  },
  {
    title: "Processors",
    unit: "percentunit",
    queries: {
      "{{instance}}": rate("process_cpu_seconds_total", "instance"),
      "{{instance}} worker {{worker}}": rate("tproxy_worker_busy_seconds_total", "instance, worker"),
    },
  },
  {
    title: "Longest turn of a worker",
    unit: "s",
    queries: { "{{instance}} worker {{worker}}": "tproxy_worker_loop_lag_seconds[I]" },
  },
  {
    title: "Memory",
    unit: "bytes",
    queries: { "{{instance}}": "process_resident_memory_bytes[I]" },
  },
  {
    title: "Descriptors in use",
    unit: "percentunit",
    queries: { "{{instance}}": "process_open_fds[I] / process_max_fds[I]" },
  },
  {
    title: "Age of the process and of its config",
    unit: "s",
    queries: {
      "process {{instance}}": "time() - process_start_time_seconds[I]",
      "config {{instance}}": "time() - tproxy_config_last_reload_success_timestamp_seconds[I]",
    },
  },
];

const SOURCE = { type: "prometheus", uid: "${source}" };
const ROUTERS = '{instance=~"$router"}';
const WIDTH = 12;
const HEIGHT = 8;

/** Returns the dashboard as JSON. */
export function formatDashboard(): string {
  const dashboard = {
    title: "tproxy",
    uid: "tproxy",
    tags: ["tproxy"],
    schemaVersion: 38,
    editable: true,
    refresh: "30s",
    time: { from: "now-3h", to: "now" },
    templating: {
      list: [
        { name: "source", label: "Data source", type: "datasource", query: "prometheus" },
        {
          name: "router",
          label: "Router",
          type: "query",
          datasource: SOURCE,
          query: "label_values(tproxy_build_info, instance)",
          refresh: 2,
          multi: true,
          includeAll: true,
          allValue: ".*",
          current: { text: "All", value: "$__all" },
        },
      ],
    },
    panels: PANELS.map(formatPanel),
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

function formatPanel({ title, unit = "short", queries }: Panel, index: number): unknown {
  return {
    id: index + 1,
    type: "timeseries",
    title,
    datasource: SOURCE,
    gridPos: { x: index % 2 * WIDTH, y: Math.floor(index / 2) * HEIGHT, w: WIDTH, h: HEIGHT },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options: {
      legend: { displayMode: "list", placement: "bottom" },
      tooltip: { mode: "multi", sort: "desc" },
    },
    targets: Object.entries(queries).map(([legendFormat, query], target) => ({
      refId: String.fromCharCode("A".charCodeAt(0) + target),
      datasource: SOURCE,
      expr: query.replaceAll("[I]", ROUTERS),
      legendFormat,
    })),
  };
}
