/**
 * The services of the self-test's server.
 * @module
 */

/**
 * Port of each service, over TCP or UDP or both: `report` tells the client who it is, `echo` sends back,
 * `count` counts, `knock` has a stranger send something too. At `nothing` nobody listens.
 */
export const SERVICE_PORTS = {
  report: 7001,
  echo: 7002,
  count: 7003,
  nothing: 7004,
  secondReport: 7005,
  knock: 7006,
} as const;

/** Report of the service to each client: both ends as the server sees them. */
export interface Report {
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
}
