/**
 * The proxy as a process: its log, its workers, what signals and the service manager want of it, and its end.
 * @module
 */
import type { LoadedConfig } from "../config/load.ts";
import { readMemoryLimit } from "../dataplane/sizing/memory_limit.ts";
import { countWorkers } from "../dataplane/sizing/worker_count.ts";
import { startDataplane } from "../dataplane/supervisor.ts";
import { backendOf } from "../kernel/backends.ts";
import { createLogger, type Logger } from "../log.ts";
import { OperationError } from "../net/error.ts";
import { giveBackAfterStart } from "./after_start.ts";
import { usableFamilies } from "./families.ts";
import { RulesKeeper } from "./keeper.ts";
import { LogSink } from "./log_sink.ts";
import { openNotifier } from "./manager/notify.ts";
import { type NetworkWatch, watchNetwork } from "./network/network_watch.ts";
import { announce, describeStatus, summarize } from "./report.ts";
import { takeServiceManager } from "./manager/service.ts";
import { followSignals } from "./signals.ts";
import { startWatchdog } from "./manager/watchdog.ts";

/** How it is started. */
export interface DaemonOptions {
  readonly loaded: LoadedConfig;
  /** Make the install too, and keep it. */
  readonly installs: boolean;
  /** What the config asks for in vain, a line each. */
  readonly warnings: readonly string[];
  readonly version: string;
  /** The module of a worker, as a source file or bundled. */
  readonly workerUrl: URL;
  /** Standard error is journald's stream: lines need no time. */
  readonly journal: boolean;
  readonly now: () => Date;
  /** Throws Deno's errors. */
  readonly readTextFile: (path: string) => string;
}

/** How often counts of lines that were held back, and the service manager's status line, are brought up to date. */
const REFRESH_MS = 60_000;
/** When all that belongs to the start is done: Deno has kept what it has compiled, the workers wait. */
const SETTLED_MS = 3000;
/** What the end may take beyond `timeouts.drain`. */
const END_MS = 10_000;

/** Runs the proxy until it has ended as it was told. Throws an OperationError if it cannot start, or if a worker fails. */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { config } = options.loaded;
  const service = takeServiceManager(Deno.env, Deno.pid);
  const notifier = openNotifier(service.socket);
  const sink = new LogSink(2);
  const log = createLogger({
    level: config.log.level,
    format: config.log.format,
    write: (line) => sink.write(line),
    now: options.now,
    journal: options.journal,
  });
  sink.onLost = (lines) => log.warn("log lines are lost: nobody took them in time", { lines });
  for (const warning of options.warnings) log.warn(warning);
  try {
    await serve(options, { service, notifier, log, terminal: sink.terminal });
  } finally {
    log.flush();
    notifier.close();
    await sink.end();
  }
}

/** Everything between the first and the last line of the log. */
async function serve(options: DaemonOptions, parts: Parts): Promise<void> {
  const { loaded, version, workerUrl, readTextFile } = options;
  const { service, notifier, log } = parts;
  const { config, origin } = loaded;
  const families = usableFamilies(config, readTextFile);
  if (families.length < config.intercept.families.length) {
    log.warn("IPv6 is off on this router: only IPv4 is relayed");
  }
  const { workers, reason } = countWorkers(config.listener.workers, {
    processors: navigator.hardwareConcurrency,
    memory: readMemoryLimit(readTextFile),
  });
  const dataplane = await startDataplane({ config, workers, families, log, workerUrl });
  const life = backendOf(config).life({ config, families }, log);
  life.begin();
  const keeper = new RulesKeeper({ loaded, installs: options.installs, life, log, readTextFile });
  const watch = watchIfPossible(keeper, log);
  await keeper.begin();
  life.once(); // on a slow router that look has taken longer than a sign of life counts
  announce(log, { version, config, origin, families, dataplane, reason });
  if (parts.terminal) {
    log.info('it stays when this terminal is closed; to start it at boot: "tproxy install --boot auto"');
  }
  let phase: "running" | "draining" = "running";
  let hanging: readonly number[] = [];
  const status = () =>
    `STATUS=${
      describeStatus({
        phase,
        connections: dataplane.live(),
        udpSessions: dataplane.udpLive(),
        families,
        rules: keeper.state,
        hanging,
      })
    }`;
  const { drainMs } = config.timeouts;
  const signals = followSignals(drainMs, {
    drain() {
      log.info("draining", { live: dataplane.live(), "at-most-ms": drainMs });
      phase = "draining";
      notifier.send("STOPPING=1", `EXTEND_TIMEOUT_USEC=${(drainMs + END_MS) * 1000}`, status());
      life.end();
      dataplane.drain();
    },
    stop(again) {
      if (again) log.info("resetting live connections", { live: dataplane.live() });
      dataplane.stop();
    },
    hangUp: () => log.info("SIGHUP is ignored: to take a new config over, restart the proxy"),
  });
  const watchdog = service.watchdogMs === undefined || !notifier.enabled
    ? undefined
    : startWatchdog(dataplane, {
      feed: () => notifier.send("WATCHDOG=1", status()),
      hanging(workers) {
        hanging = workers;
        if (workers.length > 0) {
          log.error("workers hang: the watchdog is not fed", { workers: workers.join(",") });
        } else log.info("all workers turn again");
        notifier.send(status());
      },
    }, service.watchdogMs / 2);
  const settled = setTimeout(() => giveBackAfterStart(readTextFile), SETTLED_MS);
  const refresh = setInterval(() => {
    log.flush();
    keeper.again().then(() => notifier.send(status()));
  }, REFRESH_MS);
  notifier.send("READY=1", status());
  try {
    await dataplane.ended;
  } finally {
    signals.end();
    watchdog?.end();
    life.end();
    clearTimeout(settled);
    clearInterval(refresh);
    await watch?.end();
  }
  log.info("stopped", summarize(dataplane));
}

/** Without notifications the rules stay as they are. */
function watchIfPossible(keeper: RulesKeeper, log: Logger): NetworkWatch | undefined {
  try {
    return watchNetwork(() => keeper.networkChanged());
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    log.warn("changes of the network are not seen", { reason: error.message });
    return undefined;
  }
}

interface Parts {
  readonly service: ReturnType<typeof takeServiceManager>;
  readonly notifier: ReturnType<typeof openNotifier>;
  readonly log: Logger;
  /** The log goes to a terminal. */
  readonly terminal: boolean;
}
