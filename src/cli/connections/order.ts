/**
 * Orders in which connections are listed. Pure.
 * @module
 */
import type { ConnectionRow } from "../../daemon/control/connections/row.ts";
import { formatClient, formatDestination } from "./table.ts";

/** The orders: amounts and ages from the largest down, texts from A. */
export const ORDERS = ["bytes", "up", "down", "age", "client", "destination", "rule", "state"] as const;

/** An order. */
export type Order = typeof ORDERS[number];

const AMOUNTS: Partial<Record<Order, (row: ConnectionRow) => number>> = {
  bytes: ({ bytesUp, bytesDown }) => bytesUp + bytesDown,
  up: ({ bytesUp }) => bytesUp,
  down: ({ bytesDown }) => bytesDown,
  age: ({ started }) => -Date.parse(started),
};
const TEXTS: Partial<Record<Order, (row: ConnectionRow) => string>> = {
  client: formatClient,
  destination: formatDestination,
  rule: ({ rule }) => rule ?? "",
  state: ({ state }) => state,
};

/** Sorts rows; those that are equal in it stay as they were. */
export function sortRows(rows: readonly ConnectionRow[], order: Order): ConnectionRow[] {
  const amount = AMOUNTS[order];
  if (amount !== undefined) return rows.toSorted((a, b) => amount(b) - amount(a));
  const text = TEXTS[order]!;
  return rows.toSorted((a, b) => text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0);
}
