/**
 * Connections as a table of text. Pure.
 * @module
 */
import type { ConnectionRow } from "../../daemon/control/connections/row.ts";
import { formatBytes } from "../status/bytes.ts";
import { formatDuration } from "../status/duration.ts";

interface Column {
  readonly title: string;
  readonly text: (row: ConnectionRow, now: number) => string;
  /** Cells to the right. */
  readonly right?: true;
  /** Cells may be cut to so many characters. */
  readonly least?: number;
  /** The first to go where the screen is narrow has 1. */
  readonly goes?: number;
}

const GAP = 2;
const CUT = "…";

const COLUMNS: readonly Column[] = [
  { title: "PROTO", text: ({ protocol, family }) => `${protocol}${family === "ipv4" ? 4 : 6}` },
  { title: "CLIENT", text: formatClient, least: 12 },
  { title: "DESTINATION", text: formatDestination, least: 16 },
  { title: "RULE", text: ({ rule }) => rule ?? "-", least: 8, goes: 2 },
  { title: "VIA", text: ({ upstream }) => upstream ?? "direct", least: 6, goes: 4 },
  { title: "STATE", text: ({ state }) => state },
  { title: "UP", text: ({ bytesUp }) => formatBytes(bytesUp), right: true },
  { title: "DOWN", text: ({ bytesDown }) => formatBytes(bytesDown), right: true },
  { title: "AGE", text: ({ started }, now) => formatAge(now - Date.parse(started)), right: true, goes: 3 },
  { title: "ID", text: ({ id }) => id, goes: 1 },
];

/** Formats rows for a screen of so many characters; Infinity: no text is cut. `now`: ms since 1970. */
export function formatTable(rows: readonly ConnectionRow[], { columns: screen, now }: {
  readonly columns: number;
  readonly now: number;
}): string {
  const all = COLUMNS.map((column) => {
    const cells = [column.title, ...rows.map((row) => column.text(row, now))];
    return { ...column, cells, width: Math.max(...cells.map(({ length }) => length)) };
  });
  const shown = all.filter((column) => staysOn(column, all, screen));
  shrink(shown, screen);
  return ["", ...rows].map((_, line) =>
    shown.map(({ cells, width, right }) => {
      const cell = cells[line].length > width ? `${cells[line].slice(0, width - 1)}${CUT}` : cells[line];
      return right === true ? cell.padStart(width) : cell.padEnd(width);
    }).join(" ".repeat(GAP)).trimEnd()
  ).map((line) => `${line}\n`).join("");
}

/** `192.168.1.23:50123`, or the name of its device. */
export function formatClient({ device, client, clientPort }: ConnectionRow): string {
  return device ?? endpoint(client, clientPort);
}

/** `video.example.net:443`, or its address; `?`: not known yet. */
export function formatDestination(
  { name, destination, destinationPort }: Pick<ConnectionRow, "name" | "destination" | "destinationPort">,
): string {
  if (destination === null) return name ?? "?";
  return name === null ? endpoint(destination, destinationPort) : `${name}:${destinationPort}`;
}

function endpoint(address: string, port: number | null): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** `3 h`: its largest unit alone. */
function formatAge(milliseconds: number): string {
  return formatDuration(milliseconds).split(" ").slice(0, 2).join(" ");
}

type Laid = Column & { readonly cells: readonly string[]; width: number };

/** Tells whether a column is shown: those before it in their order go as long as the rest has no room. */
function staysOn({ goes }: Laid, all: readonly Laid[], screen: number): boolean {
  if (goes === undefined) return true;
  const left = all.filter((column) => column.goes === undefined || column.goes >= goes);
  return widthOf(left, ({ width, least }) => Math.min(width, least ?? width)) <= screen;
}

/** Cuts the widest of what may be cut, until all has room. */
function shrink(shown: readonly Laid[], screen: number): void {
  let over = widthOf(shown, ({ width }) => width) - screen;
  while (over > 0) {
    const [widest] = shown.filter(({ width, least }) => least !== undefined && width > least)
      .toSorted((a, b) => b.width - a.width);
    if (widest === undefined) return;
    widest.width--;
    over--;
  }
}

function widthOf(columns: readonly Laid[], width: (column: Laid) => number): number {
  return columns.reduce((sum, column) => sum + width(column), GAP * (columns.length - 1));
}
