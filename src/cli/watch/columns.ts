/**
 * The columns of the lists. Where a terminal is narrow, some go. Pure.
 * @module
 */
import { formatAge, formatAmount, formatBars } from "./amount.ts";
import { formatDestination } from "../connections/table.ts";
import type { FlowTraffic, GroupTraffic } from "./traffic.ts";

/** The form of values. */
export interface Wording {
  readonly inBits: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** A column. */
export interface Column<Row> {
  readonly title: string;
  /** Cells that it takes; one that grows takes no less. */
  readonly width: number;
  readonly grows?: true;
  /** To the right. */
  readonly isNumber?: true;
  /** The columns with the greatest number go first; none: it stays. */
  readonly goes?: number;
  text(row: Row, wording: Wording): string;
  /** The value by which is sorted; numbers: the greatest first. */
  value(row: Row): number | string;
}

const GAP = 1;

/** Of whatever has rates, in bytes a second. */
const RATES: readonly Column<{ readonly down: number; readonly up: number }>[] = [
  {
    title: "DOWN/s",
    width: 8,
    isNumber: true,
    text: ({ down }, { inBits }) => formatAmount(down, inBits),
    value: ({ down }) => down,
  },
  {
    title: "UP/s",
    width: 8,
    isNumber: true,
    text: ({ up }, { inBits }) => formatAmount(up, inBits),
    value: ({ up }) => up,
  },
];

/** Of a flow. */
export const FLOW_COLUMNS: readonly Column<FlowTraffic>[] = [
  {
    title: "PROTO",
    width: 5,
    goes: 2,
    text: ({ flow }) => `${flow.protocol}${flow.family}`,
    value: ({ flow }) => `${flow.protocol}${flow.family}`,
  },
  {
    title: "DEVICE",
    width: 14,
    goes: 1,
    text: ({ flow }) => flow.device,
    value: ({ flow }) => flow.device,
  },
  {
    title: "DESTINATION",
    width: 22,
    grows: true,
    text: ({ flow }) => formatDestination(flow),
    value: ({ flow }) => formatDestination(flow),
  },
  { title: "RULE", width: 10, goes: 5, text: ({ flow }) => flow.rule, value: ({ flow }) => flow.rule },
  {
    title: "VIA",
    width: 8,
    goes: 3,
    text: ({ flow }) => flow.upstream ?? "direct",
    value: ({ flow }) => flow.upstream ?? "direct",
  },
  {
    title: "STATE",
    width: 8,
    text: ({ flow, ended }) => ended === null ? flow.state : "ended",
    value: ({ flow, ended }) => ended === null ? flow.state : "ended",
  },
  ...RATES,
  {
    title: "TOTAL",
    width: 8,
    isNumber: true,
    text: ({ flow }) => formatAmount(flow.bytesDown + flow.bytesUp),
    value: ({ flow }) => flow.bytesDown + flow.bytesUp,
  },
  {
    title: "AGE",
    width: 6,
    isNumber: true,
    goes: 4,
    text: ({ flow, ended }, { now }) => formatAge((ended ?? now) - flow.started),
    value: ({ flow }) => -flow.started,
  },
];

/** Of a device; with other titles, of a rule. */
function groupColumns(title: string): readonly Column<GroupTraffic>[] {
  return [
    { title, width: 18, grows: true, text: ({ name }) => name, value: ({ name }) => name },
    {
      title: title === "DEVICE" ? "ADDRESS" : "CLIENTS",
      width: 17,
      goes: 3,
      text: ({ address, addresses }) =>
        title !== "DEVICE" ? String(addresses) : addresses > 1 ? `${address} +${addresses - 1}` : address,
      value: ({ address, addresses }) => title === "DEVICE" ? address : addresses,
    },
    {
      title: "CONNS",
      width: 5,
      isNumber: true,
      text: ({ flows }) => String(flows),
      value: ({ flows }) => flows,
    },
    ...RATES,
    {
      title: "LATELY",
      width: 10,
      isNumber: true,
      goes: 4,
      text: ({ history }) => formatBars(history, 10),
      value: ({ average }) => average,
    },
    {
      title: "TOTAL",
      width: 8,
      isNumber: true,
      text: ({ total }) => formatAmount(total),
      value: ({ total }) => total,
    },
    { title: "TOP DESTINATION", width: 20, goes: 5, text: ({ top }) => top, value: ({ top }) => top },
  ];
}

/** The columns of devices. */
export const DEVICE_COLUMNS = groupColumns("DEVICE");
/** The columns of rules. */
export const RULE_COLUMNS = groupColumns("RULE");

/** A column with the cells that it has. */
export interface PlacedColumn<Row> {
  readonly column: Column<Row>;
  readonly width: number;
}

/** Takes the columns that have room, the one that grows with all that is left. */
export function placeColumns<Row>(columns: readonly Column<Row>[], width: number): PlacedColumn<Row>[] {
  const left = [...columns];
  const needed = () => left.reduce((sum, column) => sum + column.width + GAP, -GAP);
  while (needed() > width) {
    const going = left.reduce((most, column) => (column.goes ?? 0) > (most.goes ?? 0) ? column : most);
    if (going.goes === undefined) break;
    left.splice(left.indexOf(going), 1);
  }
  const room = Math.max(0, width - needed());
  return left.map((column) => ({
    column,
    width: column.grows === true ? column.width + room : column.width,
  }));
}

/** Sorts by a column: numbers from the greatest, words from A. */
export function sortBy<Row>(rows: readonly Row[], { value }: Column<Row>): Row[] {
  return rows.toSorted((a, b) => {
    const [left, right] = [value(a), value(b)];
    if (typeof left === "number" && typeof right === "number") return right - left;
    return String(left).localeCompare(String(right));
  });
}
