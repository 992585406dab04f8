/**
 * The rows of the list that is shown, in their order. Pure.
 * @module
 */
import { type Column, DEVICE_COLUMNS, FLOW_COLUMNS, RULE_COLUMNS, sortBy } from "./columns.ts";
import { formatDestination } from "../connections/table.ts";
import { CalmOrder } from "./order.ts";
import { type FlowTraffic, type GroupTraffic, matches, type Traffic } from "./traffic.ts";
import type { Tab, View } from "./view.ts";

/** A list: its columns, and its rows by their keys. */
export type List =
  | { readonly kind: "flows"; readonly rows: readonly Keyed<FlowTraffic>[] }
  | { readonly kind: "groups"; readonly tab: Tab; readonly rows: readonly Keyed<GroupTraffic>[] };

/** A row. */
export interface Keyed<Row> {
  readonly key: string;
  readonly row: Row;
}

/** Calm orders, one a list: they remember. */
export interface Orders {
  readonly devices: CalmOrder;
  readonly connections: CalmOrder;
  readonly rules: CalmOrder;
}

/** Orders that remember nothing yet. */
export function newOrders(): Orders {
  return { devices: new CalmOrder(), connections: new CalmOrder(), rules: new CalmOrder() };
}

/** The columns of the list that a view shows: inside of a device all rows are of that one. */
export function columnsOf(
  { tab, within }: View,
): readonly Column<FlowTraffic>[] | readonly Column<GroupTraffic>[] {
  if (tab !== "connections") return tab === "devices" ? DEVICE_COLUMNS : RULE_COLUMNS;
  const same = within === null ? "" : within.tab === "devices" ? "DEVICE" : "RULE";
  return FLOW_COLUMNS.filter(({ title }) => title !== same);
}

/** Makes the list that a view shows. To be asked once a look: the calm orders count. */
export function listOf(view: View, traffic: Traffic, orders: Orders): List {
  return view.tab === "connections"
    ? { kind: "flows", rows: flowRows(view, traffic, orders.connections) }
    : { kind: "groups", tab: view.tab, rows: groupRows(view, traffic, orders[view.tab]) };
}

function flowRows(view: View, traffic: Traffic, order: CalmOrder): Keyed<FlowTraffic>[] {
  const { within, filter } = view;
  const rows = traffic.flows().filter(({ flow }) =>
    (within === null || (within.tab === "devices" ? flow.device : flow.rule) === within.name) &&
    matches(flow, filter)
  );
  // Those that have ended are the last.
  const keyed = rows.map((row) => ({ key: row.flow.id, row }));
  const weight = ({ row }: Keyed<FlowTraffic>) => row.ended === null ? row.average : -1;
  return arrange(keyed, { view, order, columns: FLOW_COLUMNS, weight });
}

function groupRows(view: View, traffic: Traffic, order: CalmOrder): Keyed<GroupTraffic>[] {
  const isDevices = view.tab === "devices";
  const found = view.filter === "" ? undefined : new Set(
    traffic.flows().filter(({ flow }) => matches(flow, view.filter)).map(({ flow }) =>
      isDevices ? flow.device : flow.rule
    ),
  );
  const rows = (isDevices ? traffic.devices() : traffic.rules()).filter(({ name }) =>
    found?.has(name) ?? true
  );
  const keyed = rows.map((row) => ({ key: row.name, row }));
  const columns = isDevices ? DEVICE_COLUMNS : RULE_COLUMNS;
  return arrange(keyed, { view, order, columns, weight: ({ row }) => row.average });
}

function arrange<Row>(
  rows: readonly Keyed<Row>[],
  { view, order, columns, weight }: {
    readonly view: View;
    readonly order: CalmOrder;
    readonly columns: readonly Column<Row>[];
    readonly weight: (row: Keyed<Row>) => number;
  },
): Keyed<Row>[] {
  const column = columns.find(({ title }) => title === view.sort);
  const sorted = column === undefined
    ? calmly(rows, order, weight)
    : sortBy(rows, { ...column, value: ({ row }: Keyed<Row>) => column.value(row) } as Column<Keyed<Row>>);
  return view.isReversed ? sorted.toReversed() : sorted;
}

function calmly<Row>(
  rows: readonly Keyed<Row>[],
  order: CalmOrder,
  weight: (row: Keyed<Row>) => number,
): Keyed<Row>[] {
  const byKey = new Map(rows.map((row) => [row.key, row]));
  const keys = order.arrange(new Map(rows.map((row) => [row.key, weight(row)])));
  return keys.map((key) => byKey.get(key)!);
}

/** Words a row for a question about it. */
export function wordRow(list: List, key: string): string {
  if (list.kind === "groups") return key;
  const found = list.rows.find((row) => row.key === key);
  return found === undefined ? "" : `${found.row.flow.device} → ${formatDestination(found.row.flow)}`;
}
