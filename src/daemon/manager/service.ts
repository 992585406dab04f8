/**
 * Words of a service manager to its service in the environment: the address for notifications, and the
 * interval of signs of life. Pure.
 * @module
 */

/** The environment as far as it is needed. */
export interface Environment {
  get(name: string): string | undefined;
  delete(name: string): void;
}

/** Demands of the service manager. */
export interface ServiceManager {
  /** $NOTIFY_SOCKET. */
  readonly socket: string | undefined;
  /**
   * Milliseconds of silence after which it ends the service (WATCHDOG_USEC); undefined: it does not watch.
   */
  readonly watchdogMs: number | undefined;
}

const NAMES = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] as const;

/**
 * Reads the service manager's variables and removes them: children are not the service. `pid` is this
 * process', WATCHDOG_PID may name another, which was watched before it started this one.
 */
export function takeServiceManager(environment: Environment, pid: number): ServiceManager {
  const [socket, watchdog, watched] = NAMES.map((name) => environment.get(name));
  for (const name of NAMES) environment.delete(name);
  const microseconds = /^\d+$/.test(watchdog ?? "") ? Number(watchdog) : 0;
  const ours = watched === undefined || watched === String(pid);
  return { socket, watchdogMs: ours && microseconds > 0 ? microseconds / 1000 : undefined };
}
