/**
 * The screen as lines of a terminal. Pure.
 * @module
 */
import { formatAge, formatAmount } from "./amount.ts";
import { type Column, placeColumns, type Wording } from "./columns.ts";
import { columnsOf, type Keyed, type List } from "./rows.ts";
import { fit, makeSafe } from "./text.ts";
import { TABS, type View } from "./view.ts";

/** The proxy in one line. */
export interface Summary {
  readonly program: string;
  /** Milliseconds since 1970. */
  readonly started: number;
  readonly connections: number;
  readonly udpSessions: number;
  /** Its phase: `running`, `draining`; or the reason why nothing is known any more. */
  readonly phase: string;
}

/** All that is drawn. */
export interface Scene {
  readonly view: View;
  readonly list: List;
  /** null: the proxy has not answered yet. */
  readonly summary: Summary | null;
  /** Bytes a second, of all flows. */
  readonly down: number;
  readonly up: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The last thing that has happened, in words; empty: nothing. */
  readonly notice: string;
}

/** A terminal's size in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Lines that are no rows of the list: two of the proxy, titles, keys. */
const FRAME_LINES = 4;

const REVERSE = "\x1b[7m";
const BOLD = "\x1b[1m";
const DIM = "\x1b[2m";
const PLAIN = "\x1b[0m";

/** In the order in which a narrow terminal can do without them, from the end. */
const KEYS =
  "? help  q quit  / filter  s sort  space pause  tab lists  enter more  K close  r reverse  b bits";

const HELP = [
  "up down  j k   choose a row               page up, page down, home, end",
  "tab            the next list: devices, connections, rules",
  "enter          the connections of a device or a rule; escape: back",
  "/              show what has these words alone: a name, an address, tcp4, open;",
  "               escape shows all",
  "s              sort by the next column; after the last: by traffic, calmly",
  "r              the other way round",
  "space          pause: the list stands still",
  "b              rates in bits",
  "K              close the connection, after a question",
  "q  ctrl-c      leave",
  "",
  "A device goes by the name that DHCP or /etc/hosts has, else by its hardware",
  "address. TOTAL counts what was seen since this screen began, and what its flows",
  "had carried before.",
];

/** Rows of the list that have room. */
export function roomOf({ rows }: Size): number {
  return Math.max(1, rows - FRAME_LINES);
}

/** Draws the scene: as many lines as the terminal has, none wider than it. */
export function draw(scene: Scene, size: Size, inColor: boolean): string[] {
  const style = inColor ? (code: string, text: string) => `${code}${text}${PLAIN}` : plain;
  const { columns } = size;
  const room = roomOf(size);
  const body = scene.view.showsHelp
    ? HELP.map((line) => fit(` ${line}`, columns))
    : drawList(scene, { columns, room }, style);
  const padded = [...body, ...Array<string>(room + 1).fill("")].slice(0, room + 1);
  return [
    style(BOLD, fit(drawHead(scene), columns)),
    fit(drawTabs(scene), columns),
    ...padded,
    style(DIM, fit(drawFoot(scene), columns)),
  ].slice(0, size.rows);
}

function drawHead({ summary, view, down, up, now }: Scene): string {
  if (summary === null) return "tproxy: the proxy has not answered yet";
  const { program, started, phase, connections, udpSessions } = summary;
  const rates = `↓ ${formatAmount(down, view.inBits)}/s  ↑ ${formatAmount(up, view.inBits)}/s`;
  return `tproxy ${program}  ${phase}  up ${formatAge(now - started)}  ` +
    `TCP ${connections}  UDP ${udpSessions}  ${rates}`;
}

function drawTabs({ view }: Scene): string {
  const tabs = TABS.map((tab) => tab === view.tab ? `[${tab}]` : ` ${tab} `).join(" ");
  const within = view.within === null ? "" : `  of ${makeSafe(view.within.name)}`;
  const filter = view.isTyping || view.filter !== "" ? `  /${view.filter}${view.isTyping ? "_" : ""}` : "";
  const sort = view.sort === null ? "" : `  by ${view.sort}`;
  return `${tabs}${within}${filter}${sort}${view.isReversed ? "  reversed" : ""}${
    view.isPaused ? "  paused" : ""
  }`;
}

function drawFoot({ view, notice }: Scene): string {
  if (view.closing !== null) return `Close ${makeSafe(view.closing.what)}? y: yes, any other key: no`;
  if (view.isTyping) return "words to look for; enter: done, escape: show all";
  if (view.showsHelp) return "any key: back";
  return notice === "" ? KEYS : makeSafe(notice);
}

type Style = (code: string, text: string) => string;
const plain: Style = (_code, text) => text;

function drawList(
  { view, list, now }: Scene,
  { columns: width, room }: { readonly columns: number; readonly room: number },
  style: Style,
): string[] {
  const wording = { inBits: view.inBits, now };
  const columns = columnsOf(view) as readonly Column<unknown>[];
  const placed = placeColumns(columns, width);
  const title = placed.map(({ column, width }) => fit(column.title, width, column.isNumber === true)).join(
    " ",
  );
  const rows = list.rows as readonly Keyed<unknown>[];
  if (rows.length === 0) {
    const none = view.filter === "" ? "nothing has been relayed yet" : "nothing has these words";
    return [fit(title, width), fit(`  ${none}`, width)];
  }
  const chosen = Math.max(0, rows.findIndex(({ key }) => key === view.chosen));
  const first = Math.min(Math.max(0, chosen - Math.floor(room / 2)), Math.max(0, rows.length - room));
  const lines = rows.slice(first, first + room).map(({ row }, i) => {
    const cells = fit(drawRow(row, placed, wording), width);
    return first + i === chosen ? style(REVERSE, cells) : cells;
  });
  return [fit(title, width), ...lines];
}

function drawRow(
  row: unknown,
  placed: readonly { readonly column: Column<unknown>; readonly width: number }[],
  wording: Wording,
): string {
  return placed.map(({ column, width }) => fit(column.text(row, wording), width, column.isNumber === true))
    .join(" ");
}
