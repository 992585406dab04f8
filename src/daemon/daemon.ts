/**
 * The proxy as a process: it starts, serves until it is told to end, and says so. It acts on signals and on
 * the service manager's demands.
 * @module
 */
import { monotonicMicroseconds, monotonicMilliseconds } from "../../ffi/clock.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { Logger } from "../log.ts";
import { RateWatch } from "./control/rates.ts";
import { openControlSocket } from "./control/control_socket.ts";
import { serveControl, serveMetrics } from "./control/doors.ts";
import { descriptorLimit } from "../../ffi/process.ts";
import { giveBackAfterStart } from "./after_start.ts";
import { requireDescriptors } from "./descriptors.ts";
import { loadUsable, type UsableConfig } from "./reload/generation.ts";
import { askPredecessor } from "./handover/predecessor.ts";
import { Succession } from "./handover/succession.ts";
import { startWatchdog } from "./manager/watchdog.ts";
import { followNetlinkServer } from "./privileges/netlink_server.ts";
import type { Privileges } from "./privileges/privileges.ts";
import type { Proxy } from "./proxy.ts";
import { summarize } from "./report.ts";
import {
  type EndSignals,
  followEndSignals,
  followHangUps,
  type HangUps,
  type SignalActions,
} from "./signals.ts";
import { type StartOptions, startProxy } from "./start.ts";
import { type LogStyle, Surroundings } from "./surroundings.ts";

/** Options of the start. */
export interface DaemonOptions extends StartOptions {
  readonly privileges: Privileges;
  readonly style: LogStyle;
  /** Path of the control socket of a proxy that runs, to take over from it; absent: there is none. */
  readonly takesOver?: string | undefined;
  /**
   * Finds what keeps clients from the proxy on this machine. It is asked where a person looks on: that costs
   * 10 MB of memory for good.
   */
  readonly findObstacles: (loaded: LoadedConfig) => Promise<readonly Obstacle[]>;
}

interface Signals {
  readonly hangUps: HangUps;
  readonly endSignals: EndSignals;
}

/** Something in the way, and what to do. */
export interface Obstacle {
  readonly what: string;
  readonly cause: string;
  readonly remedy: string;
}

/**
 * Milliseconds between two updates of the counts of lines that were held back, and of the service manager's
 * status line.
 */
const REFRESH_MS = 60_000;
/**
 * Milliseconds after which all work of the start is done: Deno has kept its compiled code, the workers wait.
 */
const SETTLED_MS = 3000;
/** Milliseconds that the end may take beyond `timeouts.drain`. */
const END_MS = 10_000;

/**
 * Runs the proxy until it has ended as it was told. Throws an OperationError if it cannot start, or if a
 * worker fails; a ConfigError if its config is wrong.
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const limit = descriptorLimit();
  if (typeof limit !== "number") requireDescriptors(limit.hard);
  const hangUps = followHangUps();
  const endSignals = followEndSignals();
  try {
    const usable = loadUsable(options.source);
    options.privileges.limitTo(usable.loaded.config);
    const surroundings = new Surroundings(usable.loaded.config.log, options.style);
    try {
      await runProxy(usable, options, surroundings, { hangUps, endSignals });
    } finally {
      await surroundings.end();
    }
  } finally {
    hangUps.end();
    endSignals.end();
  }
}

/** Starts a proxy that can be asked, and serves until its end. */
async function runProxy(
  usable: UsableConfig,
  options: DaemonOptions,
  surroundings: Surroundings,
  signals: Signals,
): Promise<void> {
  const { log, terminal } = surroundings;
  const { source: { readTextFile }, version, privileges } = options;
  const { config } = usable.loaded;
  const predecessor = options.takesOver === undefined
    ? undefined
    : await askPredecessor(options.takesOver, config);
  // The one before has the place of the socket until it has handed over.
  let socket = predecessor === undefined ? await openControlSocket(config.control, log) : undefined;
  try {
    const proxy = await startProxy(usable, { ...options, predecessor }, surroundings);
    if (predecessor !== undefined) {
      socket = await openControlSocket(config.control, log, { succeeds: true });
      const { dataplane } = proxy;
      predecessor.follow(dataplane).then((connections) =>
        log.info("the one before has ended", { connections })
      );
    }
    privileges.seal();
    privileges.announce(log, readTextFile);
    const program = { program: version, privileges: privileges.describe(readTextFile) };
    const rates = new RateWatch(proxy.dataplane);
    const succession = new Succession(proxy, surroundings, predecessor);
    const { handover } = succession;
    const subject = { proxy, handover, ...program, started: monotonicMilliseconds(), rates, predecessor };
    const servers = [
      serveControl(socket, subject, log),
      serveMetrics(config.metrics, subject, log),
    ];
    succession.begun = () => servers.at(-1)!.end(); // the successor has that address
    const looks = terminal && !privileges.dropped;
    if (terminal && privileges.dropped) {
      log.info('whether clients get through to it: "tproxy doctor" looks, as root');
    }
    const warning = looks ? warnOfObstacles(options.findObstacles(usable.loaded), log) : undefined;
    try {
      await serve(proxy, surroundings, { ...signals, readTextFile, succession });
    } finally {
      warning?.end();
      rates.end();
      succession.end();
      for (const server of servers) server.end();
    }
    log.info("stopped", summarize(proxy.dataplane));
  } finally {
    socket?.close();
  }
}

/** Says what is in the way, once that is known: clients would wait for a proxy that runs. */
function warnOfObstacles(finding: Promise<readonly Obstacle[]>, log: Logger): { end(): void } {
  let ended = false;
  const say = (message: string, fields: Readonly<Record<string, string>>) => {
    if (!ended) log.warn(message, fields);
  };
  // A proxy that relays is worth more than what it does not know: nothing of this ends it.
  finding.then(
    (obstacles) => obstacles.forEach(({ what, cause, remedy }) => say("in the way", { what, cause, remedy })),
    (error) => say("whether something is in the way is not known", { reason: String(error) }),
  );
  return { end: () => void (ended = true) };
}

/** Everything between "ready" and the end of the last worker. */
async function serve(
  proxy: Proxy,
  surroundings: Surroundings,
  { hangUps, endSignals, readTextFile, succession }: Signals & {
    readonly readTextFile: (path: string) => string;
    readonly succession: Succession;
  },
): Promise<void> {
  const quiet = settleDown(readTextFile);
  tellOfReloads(proxy, surroundings, quiet);
  const watchdog = feedWatchdog(proxy, surroundings);
  const refresh = refreshNowAndThen(proxy, surroundings);
  surroundings.notifier.send("READY=1", statusOf(proxy));
  succession.quit = () => {
    watchdog?.end();
    clearInterval(refresh);
  };
  hangUps.obey(() => void proxy.reload());
  endSignals.obey(endActions(proxy, surroundings));
  const server = followNetlinkServer();
  try {
    await Promise.race([proxy.dataplane.ended, server.gone]);
  } finally {
    server.end();
    endSignals.end();
    watchdog?.end();
    quiet.end();
    clearInterval(refresh);
    await proxy.end();
  }
}

function statusOf(proxy: Proxy): string {
  return `STATUS=${proxy.describe()}`;
}

function tellOfReloads(proxy: Proxy, { notifier }: Surroundings, quiet: Settling): void {
  proxy.listener = {
    begun: () => notifier.send("RELOADING=1", `MONOTONIC_USEC=${monotonicMicroseconds()}`),
    ended() {
      notifier.send("READY=1", statusOf(proxy));
      quiet.begin();
    },
  };
}

/** A wait until all is done that belongs to a start or a reload. */
interface Settling {
  /** Begins to wait anew. */
  begin(): void;
  end(): void;
}

/** Gives back what only the start has needed, and later what only a reload has. */
function settleDown(readTextFile: (path: string) => string): Settling {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const settling = {
    begin() {
      clearTimeout(timer);
      timer = setTimeout(() => giveBackAfterStart(readTextFile), SETTLED_MS);
    },
    end: () => clearTimeout(timer),
  };
  settling.begin();
  return settling;
}

function endActions(proxy: Proxy, { notifier, log }: Surroundings): SignalActions {
  return {
    drain() {
      const { drainMs } = proxy;
      log.info("draining", { live: proxy.dataplane.live(), "at-most-ms": drainMs });
      proxy.drain();
      notifier.send("STOPPING=1", `EXTEND_TIMEOUT_USEC=${(drainMs + END_MS) * 1000}`, statusOf(proxy));
      return drainMs;
    },
    stop(again) {
      if (again) log.info("resetting live connections", { live: proxy.dataplane.live() });
      proxy.stop();
    },
  };
}

/** Nothing where no service manager watches. */
function feedWatchdog(
  proxy: Proxy,
  { service, notifier, log }: Surroundings,
): { end(): void } | undefined {
  if (service.watchdogMs === undefined || !notifier.enabled) return undefined;
  return startWatchdog(proxy.dataplane, {
    feed: () => notifier.send("WATCHDOG=1", statusOf(proxy)),
    hanging(workers) {
      proxy.hanging = workers;
      if (workers.length > 0) {
        log.error("workers hang: the watchdog is not fed", { workers: workers.join(",") });
      } else log.info("all workers turn again");
      notifier.send(statusOf(proxy));
    },
  }, service.watchdogMs / 2);
}

function refreshNowAndThen(proxy: Proxy, { notifier, log }: Surroundings): ReturnType<typeof setInterval> {
  return setInterval(() => {
    log.flush();
    proxy.again().then(() => notifier.send(statusOf(proxy)));
  }, REFRESH_MS);
}
