/**
 * A live connection or UDP session, as the control socket tells of it. Pure.
 * @module
 */
import type { EndedFlow } from "../../../dataplane/flows/ended_flows.ts";
import type { SessionRow } from "../../../dataplane/shared/books.ts";
import type { Ending } from "../../../dataplane/shared/endings.ts";
import type { SessionKey, SessionProtocol } from "../../../dataplane/shared/session_key.ts";
import { STAGE_NAMES } from "../../../dataplane/tcp/stage_numbers.ts";
import { type Family, formatIp, type IpAddress } from "../../../net/ip.ts";
import { formatId } from "./id.ts";

/** The states of a connection; a UDP session is open. */
export const STATES = STAGE_NAMES;

/** The state of a connection. */
export type ConnectionState = typeof STATES[number];

/** The device that has an address, as far as it is known. */
export interface Device {
  /** Name, as leases have it. */
  readonly name: string | null;
  /** Hardware address. */
  readonly mac: string | null;
}

/** A row; null: not known, or there is none. */
export interface ConnectionRow {
  /** Names it for as long as it lives. */
  readonly id: string;
  readonly protocol: SessionProtocol;
  readonly family: Family;
  readonly client: string;
  readonly clientPort: number;
  readonly device: string | null;
  readonly mac: string | null;
  readonly destination: string | null;
  readonly destinationPort: number | null;
  /** Name that the client has asked for: it may be anything. */
  readonly name: string | null;
  readonly rule: string | null;
  /** Configured upstream; null: it goes direct. */
  readonly upstream: string | null;
  readonly state: ConnectionState;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** ISO time. */
  readonly started: string;
}

/** A connection that has ended. */
export interface ClosedRow extends Omit<ConnectionRow, "state"> {
  readonly state: "closed";
  readonly ending: Ending;
  /** ISO time. */
  readonly ended: string;
}

/** Finds the device that has an address. */
export type FindDevice = (address: IpAddress) => Device;

/** Describes a session. */
export function describeRow(session: SessionRow, findDevice: FindDevice): ConnectionRow {
  const { protocol, ruleName: rule, upstreamName: upstream, stage } = session;
  const state = protocol === "udp" ? "open" : STATES[stage];
  return { ...describeFlow(session, { ...session, rule, upstream }, findDevice), state };
}

/** Describes a session that has ended. */
export function describeClosed(flow: EndedFlow, findDevice: FindDevice): ClosedRow {
  const { key, ending, ended } = flow;
  const row = describeFlow(key, flow, findDevice);
  return { ...row, state: "closed", ending, ended: new Date(ended).toISOString() };
}

function describeFlow(
  key: SessionKey,
  flow: Pick<
    EndedFlow,
    "client" | "destination" | "name" | "rule" | "upstream" | "bytesUp" | "bytesDown" | "started"
  >,
  findDevice: FindDevice,
): Omit<ConnectionRow, "state"> {
  const { client, destination, name, rule, upstream, bytesUp, bytesDown, started } = flow;
  const { name: device, mac } = findDevice(client.address);
  return {
    id: formatId(key),
    protocol: key.protocol,
    family: client.address.family,
    client: formatIp(client.address),
    clientPort: client.port,
    device,
    mac,
    destination: destination === null ? null : formatIp(destination.address),
    destinationPort: destination?.port ?? null,
    name,
    rule,
    upstream,
    bytesUp,
    bytesDown,
    started: new Date(started).toISOString(),
  };
}
