// The columns of the lists, and the rows that a view shows, in their order.
import { CalmOrder } from "./order.js";
import { matches } from "./traffic.js";
import { formatAge, formatAmount } from "./words.js";

/** A column: its name for the style, title, text, and the value by which is sorted, if it is another. */
const column = (name, title, text, value = text) => ({ name, title, text, value });

const AMOUNTS = [
  column("down", "Down/s", ({ down }, { inBits }) => formatAmount(down, inBits), ({ down }) => down),
  column("up", "Up/s", ({ up }, { inBits }) => formatAmount(up, inBits), ({ up }) => up),
];

const stateOf = ({ state, ended }) => ended === null ? state : "ended";
const totalOf = ({ bytesDown, bytesUp }) => bytesDown + bytesUp;

const FLOW_COLUMNS = [
  column("protocol", "Proto", ({ protocol }) => protocol),
  column("device", "Device", ({ device }) => device),
  column("to", "Destination", ({ to }) => to),
  column("rule", "Rule", ({ rule }) => rule),
  column("via", "Via", ({ via }) => via),
  column("state", "State", stateOf),
  ...AMOUNTS,
  column("total", "Total", (flow) => formatAmount(totalOf(flow)), totalOf),
  column(
    "age",
    "Age",
    ({ started, ended }, { now }) => formatAge((ended ?? now) - started),
    ({ started }) => -started,
  ),
  column("close", "", () => ""),
];

function groupColumns(title, address) {
  return [
    column("name", title, ({ name }) => name),
    address,
    column("flows", "Conns", ({ flows }) => String(flows), ({ flows }) => flows),
    ...AMOUNTS,
    column("lately", "Last minute", () => "", ({ average }) => average),
    column("total", "Total", ({ total }) => formatAmount(total), ({ total }) => total),
    column("top", "Top destination", ({ top }) => top),
  ];
}

const addressOf = ({ address, addresses: { size } }) => size > 1 ? `${address} +${size - 1}` : address;

/** The lists: their columns, and what their rows are. */
export const LISTS = {
  devices: groupColumns("Device", column("address", "Address", addressOf)),
  connections: FLOW_COLUMNS,
  rules: groupColumns(
    "Rule",
    column(
      "address",
      "Clients",
      ({ addresses }) => String(addresses.size),
      ({ addresses }) => addresses.size,
    ),
  ),
};

/** The rows of views, by their keys. Calm orders remember. */
export class Rows {
  #orders = { devices: new CalmOrder(), connections: new CalmOrder(), rules: new CalmOrder() };

  /** Makes the rows of a view. To be asked once a look: the calm orders count. */
  of(view, traffic) {
    const rows = view.list === "connections" ? flowsOf(view, traffic) : groupsOf(view, traffic);
    const column = LISTS[view.list].find(({ name }) => name === view.sort);
    const sorted = column === undefined ? this.#calmly(rows, view.list) : sortBy(rows, column);
    return view.isReversed ? sorted.reverse() : sorted;
  }

  #calmly(rows, list) {
    const byKey = new Map(rows.map((row) => [keyOf(row), row]));
    // Those that have ended are the last.
    const weights = new Map(rows.map((row) => [keyOf(row), row.ended > 0 ? -1 : row.average]));
    return this.#orders[list].arrange(weights).map((key) => byKey.get(key));
  }
}

/** The name of a row that no other of its list has. */
export const keyOf = (row) => row.id ?? row.name;

function flowsOf({ within, filter }, { flows }) {
  const [list, name] = within ?? [];
  return [...flows.values()].filter((flow) =>
    (within === null || (list === "devices" ? flow.device : flow.rule) === name) &&
    (filter === "" || matches(flow, filter))
  );
}

function groupsOf({ list, filter }, traffic) {
  const groups = [...traffic[list].values()];
  if (filter === "") return groups;
  const found = new Set();
  for (const flow of traffic.flows.values()) {
    if (matches(flow, filter)) found.add(list === "devices" ? flow.device : flow.rule);
  }
  return groups.filter(({ name }) => found.has(name));
}

/** Sorts by a column: numbers from the greatest, words from A. */
function sortBy(rows, { value }) {
  const order = (a, b) => typeof a === "number" ? b - a : a < b ? -1 : a > b ? 1 : 0;
  return rows.map((row) => [value(row, {}), row]).sort(([a], [b]) => order(a, b)).map(([, row]) => row);
}
