/**
 * A live connection or UDP session, as the control socket tells of it. Pure.
 * @module
 */
import type { SessionRow } from "../../../dataplane/shared/books.ts";
import type { SessionProtocol } from "../../../dataplane/shared/session_key.ts";
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

/** Finds the device that has an address. */
export type FindDevice = (address: IpAddress) => Device;

/** Describes a session. */
export function describeRow(session: SessionRow, findDevice: FindDevice): ConnectionRow {
  const { protocol, client, destination, name, ruleName, upstreamName, stage, bytesUp, bytesDown } = session;
  const { name: device, mac } = findDevice(client.address);
  return {
    id: formatId(session),
    protocol,
    family: client.address.family,
    client: formatIp(client.address),
    clientPort: client.port,
    device,
    mac,
    destination: destination === null ? null : formatIp(destination.address),
    destinationPort: destination?.port ?? null,
    name,
    rule: ruleName,
    upstream: upstreamName,
    state: protocol === "udp" ? "open" : STATES[stage],
    bytesUp,
    bytesDown,
    started: new Date(session.started).toISOString(),
  };
}
