/**
 * What a service manager tells its service in the environment: where to send notifications, and how often it wants a sign of life.
 * Pure.
 * @module
 */

/** The environment as far as it is needed. */
export interface Environment {
  get(name: string): string | undefined;
  delete(name: string): void;
}

/** What the service manager wants. */
export interface ServiceManager {
  /** $NOTIFY_SOCKET. */
  readonly socket: string | undefined;
  /** It ends the service that is silent for so many milliseconds (WATCHDOG_USEC); undefined: it does not watch. */
  readonly watchdogMs: number | undefined;
}

const NAMES = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] as const;

/**
 * Reads the service manager's variables and removes them: children are not the service. `pid` is this process', WATCHDOG_PID may name
 * another, which was watched before it started this one.
 */
export function takeServiceManager(environment: Environment, pid: number): ServiceManager {
  const [socket, watchdog, watched] = NAMES.map((name) => environment.get(name));
  for (const name of NAMES) environment.delete(name);
  const microseconds = /^\d+$/.test(watchdog ?? "") ? Number(watchdog) : 0;
  const ours = watched === undefined || watched === String(pid);
  return { socket, watchdogMs: ours && microseconds > 0 ? microseconds / 1000 : undefined };
}
