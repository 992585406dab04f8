/**
 * A check of the self-test, and the tools that all of them use.
 * @module
 */
import type { Admission } from "../../../config/types.ts";
import type { Family } from "../../../net/ip.ts";
import { ADDRESSES } from "../addresses.ts";
import type { Network } from "../network.ts";
import type { Target } from "./outcome.ts";
import type { ProgramCall } from "../hosts/router_host.ts";
import type { Report } from "../hosts/services.ts";

/** Failure of a check: it saw something else than it expected. */
export class CheckFailure extends Error {}
/** The check cannot be made here. */
export class CheckSkip extends Error {}

/** The configs: with this policy for failure, with the router's own traffic, or on a bridge. */
export type ConfigName = "open" | "reset" | "router" | "bridge";

/** Tools of the checks. */
export interface CheckContext {
  readonly network: Network;
  /** Names the call that starts tproxy with these arguments and one of the configs. */
  tproxy(command: "install" | "run", config: ConfigName): ProgramCall;
  /** The place at which flows are taken. */
  readonly admission: Admission;
  /** Tells that the backend takes the router's own traffic. */
  readonly routerTraffic: boolean;
  readonly uninstall: ProgramCall;
  /** The router's kernel state before the first install. */
  before: readonly string[];
}

/** A row: what must hold, and how it is seen. It returns a remark, or nothing. */
export interface Check {
  readonly name: string;
  /** Marks a check whose failure makes those after it impossible. */
  readonly essential?: boolean;
  /** Marks a check that is made in any case. */
  readonly cleanup?: boolean;
  run(context: CheckContext): Promise<string | void>;
}

/** Part of a check for one family. */
export type FamilyCheck = (context: CheckContext, family: Family) => Promise<string | void>;

/** A packet that is dropped never comes: this long is waited for it. */
export const SILENCE_MS = 700;

/** Throws CheckFailure with what was seen. */
export function expect(condition: boolean, seen: string): void {
  if (!condition) throw new CheckFailure(seen);
}

/** The families that this kernel has. */
export function families({ network }: CheckContext): Family[] {
  return network.ipv6 ? ["ipv4", "ipv6"] : ["ipv4"];
}

/** A service of the server. */
export function target(family: Family, port: number): Target {
  return { hostname: ADDRESSES[family].server, port };
}

/**
 * Expects that the report names the original destination and `client`, with the port that it really has; in
 * words.
 */
export function expectSeen(
  report: Report,
  expected: { server: Target; client: string; localPort: number },
): string {
  const seen = `the server sees ${report.client} port ${report.clientPort}`;
  const { server, client, localPort } = expected;
  expect(report.server === server.hostname && report.serverPort === server.port, JSON.stringify(report));
  expect(report.client === client, seen);
  expect(report.clientPort === localPort, `${seen}, the client had ${localPort}`);
  return seen;
}
