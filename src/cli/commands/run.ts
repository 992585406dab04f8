/**
 * `tproxy run`: the proxy, in the foreground, with its log on stderr.
 * @module
 */
import { object } from "@optique/core/constructs";
import type { InferValue } from "@optique/core/parser";
import type { Config } from "../../config/types.ts";
import { loadConfig } from "../../config/load.ts";
import { requireSupported } from "../../config/support.ts";
import { readMemoryLimit } from "../../dataplane/sizing/memory_limit.ts";
import { type Dataplane, startDataplane } from "../../dataplane/supervisor.ts";
import { countWorkers } from "../../dataplane/sizing/worker_count.ts";
import { showLife, type SignOfLife } from "../../kernel/iptables/alive.ts";
import { showRunning } from "../../kernel/running.ts";
import { createLogger, type Logger } from "../../log.ts";
import type { Command } from "../command.ts";
import { configOption } from "../config_option.ts";
import { VERSION } from "../version.ts";

const parser = object({ config: configOption });

/** The signals that end the proxy: the first lets live connections end, the second does not. */
const END_SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** The command. */
export const runCommand: Command<InferValue<typeof parser>> = {
  name: "run",
  summary: "Run the proxy in the foreground, with its log on stderr",
  details: [
    "On SIGTERM or SIGINT it accepts nothing new, lets live connections end within timeouts.drain, and exits with 0; " +
    "a second signal resets them at once.",
  ],
  examples: ["run", "run -c /etc/tproxy/tproxy.yaml"],
  changesState: true,
  parser,
  async run(env, options) {
    const loaded = loadConfig({
      ...(options.config === undefined ? {} : { path: options.config }),
      readTextFile: env.readTextFile,
    });
    const unsupported = requireSupported(loaded, "run");
    const { config, origin } = loaded;
    const log = createLogger({
      level: config.log.level,
      format: config.log.format,
      write: (line) => env.stderr(line),
      now: env.now,
      journal: env.stderrIsJournal,
    });
    for (const warning of unsupported) log.warn(warning);
    const families = usableFamilies(config, log);
    const { workers, reason } = countWorkers(config.listener.workers, {
      processors: navigator.hardwareConcurrency,
      memory: readMemoryLimit(env.readTextFile),
    });
    const dataplane = await startDataplane({ config, workers, families, log, workerUrl: workerUrl() });
    const life = showLifeTo(config, families, log);
    announce(log, { config, origin, dataplane, families, reason });
    const signals = followSignals(dataplane, { drainMs: config.timeouts.drainMs, log, life });
    // Counts of lines that were held back are told in time.
    const flush = setInterval(() => log.flush(), 60_000);
    try {
      await dataplane.ended;
    } finally {
      signals.stop();
      life?.end();
      clearInterval(flush);
    }
    log.info("stopped", summarize(dataplane));
    log.flush();
    return 0;
  },
};

/** Beside this program: as a source file, or bundled by scripts/build. */
function workerUrl(): URL {
  return import.meta.url.endsWith(".ts")
    ? new URL("../../dataplane/worker.ts", import.meta.url)
    : new URL("./worker.js", import.meta.url);
}

/** The families of the config, without IPv6 where the kernel has it off, and it was not asked for alone. */
function usableFamilies(config: Config, log: Logger): Config["intercept"]["families"] {
  const { families } = config.intercept;
  if (families.length === 1 || loopbackHasIpv6()) return families;
  log.warn("IPv6 is off on this router: only IPv4 is relayed");
  return families.filter((family) => family === "ipv4");
}

function loopbackHasIpv6(): boolean {
  try {
    return /^0{31}1 .* lo$/m.test(Deno.readTextFileSync("/proc/net/if_inet6"));
  } catch {
    return false;
  }
}

function announce(
  log: Logger,
  facts: {
    config: Config;
    origin: string;
    dataplane: Dataplane;
    families: Config["intercept"]["families"];
    /** Why there are so many workers. */
    reason: string;
  },
): void {
  const { config, dataplane } = facts;
  const protocols = config.intercept.protocols.map((protocol) => protocol.toUpperCase()).join(" and ");
  log.info(`tproxy ${VERSION} relays ${protocols} to the original destination`, {
    config: facts.origin,
    port: config.listener.port,
    families: facts.families.join(","),
    source: config.source,
    workers: dataplane.workers,
    "workers-by": facts.reason,
    ...(dataplane.maxConnections > 0 ? { "max-connections": dataplane.maxConnections } : {}),
    ...(dataplane.maxUdpSessions > 0 ? { "max-udp-sessions": dataplane.maxUdpSessions } : {}),
  });
  const { connections } = config.limits;
  if (
    connections !== "auto" && config.intercept.protocols.includes("tcp") &&
    connections > dataplane.maxConnections
  ) {
    log.warn("limits.connections is more than the descriptor limit allows", {
      wanted: connections,
      possible: dataplane.maxConnections,
      descriptors: dataplane.descriptors,
    });
  }
}

function summarize(dataplane: Dataplane): Record<string, number> {
  const counters = dataplane.counters();
  const { accepted, connected, refused, timedOut, failed, bytesUp, bytesDown } = counters;
  return {
    accepted,
    connected,
    refused,
    "timed-out": timedOut,
    failed,
    "bytes-up": bytesUp,
    "bytes-down": bytesDown,
    ...(dataplane.maxUdpSessions === 0 ? {} : {
      "udp-sessions": counters.udpOpened,
      "udp-up": counters.udpUp,
      "udp-down": counters.udpDown,
      "udp-dropped": counters.udpDropped + counters.udpRefused,
    }),
  };
}

/** The rules of iptables must know that a proxy runs, and those for the router's own traffic. */
function showLifeTo(
  config: Config,
  families: Config["intercept"]["families"],
  log: Logger,
): SignOfLife | undefined {
  if (config.kernel.backend === "netlink") {
    return config.intercept.routerTraffic ? showRunning({ config, families }) : undefined;
  }
  return showLife(families, (reason) => {
    log.warn("the rules of iptables cannot be told that a proxy runs: intercept.on-failure applies", {
      reason,
    });
  });
}

function followSignals(
  dataplane: Dataplane,
  options: { drainMs: number; log: Logger; life: SignOfLife | undefined },
): { stop(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let draining = false;
  function onSignal(): void {
    if (draining) {
      options.log.info("resetting live connections", { live: dataplane.live() });
      return dataplane.stop();
    }
    draining = true;
    options.log.info("draining", { live: dataplane.live(), "at-most-ms": options.drainMs });
    options.life?.end();
    dataplane.drain();
    timer = setTimeout(() => dataplane.stop(), options.drainMs);
  }
  for (const signal of END_SIGNALS) Deno.addSignalListener(signal, onSignal);
  return {
    stop() {
      clearTimeout(timer);
      for (const signal of END_SIGNALS) Deno.removeSignalListener(signal, onSignal);
    },
  };
}
