/**
 * The state of the screen, and what keys change of it. Pure.
 * @module
 */

/** The lists that there are. */
export const TABS = ["devices", "connections", "rules"] as const;

/** A list. */
export type Tab = typeof TABS[number];

/** The view. */
export interface View {
  readonly tab: Tab;
  /** The device or rule whose flows alone are shown; null: all. */
  readonly within: { readonly tab: Tab; readonly name: string } | null;
  readonly filter: string;
  /** Keys are the filter's. */
  readonly isTyping: boolean;
  /** The title of the column by which is sorted; null: by traffic, calmly. */
  readonly sort: string | null;
  readonly isReversed: boolean;
  readonly isPaused: boolean;
  readonly inBits: boolean;
  readonly showsHelp: boolean;
  /** The key of the row that is chosen; null: the first. */
  readonly chosen: string | null;
  /** The flow that is to be closed, if the next key says so. */
  readonly closing: { readonly id: string; readonly what: string } | null;
  /** The end has been asked for. */
  readonly isOver: boolean;
}

/** The view at the start. */
export const FIRST_VIEW: View = {
  tab: "devices",
  within: null,
  filter: "",
  isTyping: false,
  sort: null,
  isReversed: false,
  isPaused: false,
  inBits: false,
  showsHelp: false,
  chosen: null,
  closing: null,
  isOver: false,
};

/** The content of the screen, as far as keys depend on it. */
export interface Shown {
  /** The rows in their order: key, and what it is in words; `flow`: it can be closed. */
  readonly rows: readonly { readonly key: string; readonly what: string; readonly isFlow: boolean }[];
  /** The titles of the columns by which can be sorted. */
  readonly columns: readonly string[];
  /** Rows that have room. */
  readonly room: number;
}

/** A key's effect: another view, and a flow that is to be closed now. */
export interface Effect {
  readonly view: View;
  readonly close?: string;
  /** The reason why there is none. */
  readonly notice?: string;
}

/** Obeys a key. */
export function obey(view: View, key: string, shown: Shown): Effect {
  if (key === "ctrl-c") return { view: { ...view, isOver: true } };
  if (view.closing !== null) {
    const { id } = view.closing;
    const next = { ...view, closing: null };
    return key === "y" || key === "Y" ? { view: next, close: id } : { view: next };
  }
  if (view.isTyping) return { view: type(view, key) };
  if (view.showsHelp) return { view: { ...view, showsHelp: false } };
  const isClosable = shown.rows.length === 0 || shown.rows[0].isFlow;
  if (key === "K" && !isClosable) {
    return { view, notice: "K closes a connection: enter shows those of this row" };
  }
  return { view: command(view, key, shown) };
}

function type(view: View, key: string): View {
  switch (key) {
    case "enter":
      return { ...view, isTyping: false };
    case "escape":
      return { ...view, isTyping: false, filter: "" };
    case "backspace":
      return { ...view, filter: [...view.filter].slice(0, -1).join("") };
    default:
      return [...key].length === 1 ? { ...view, filter: view.filter + key } : view;
  }
}

function command(view: View, key: string, shown: Shown): View {
  const place = Math.max(0, shown.rows.findIndex((row) => row.key === view.chosen));
  const choose = (to: number): View => {
    const row = shown.rows[Math.min(Math.max(to, 0), shown.rows.length - 1)];
    return { ...view, chosen: row?.key ?? null };
  };
  switch (key) {
    case "q":
    case "ctrl-d":
      return { ...view, isOver: true };
    case "up":
    case "k":
      return choose(place - 1);
    case "down":
    case "j":
      return choose(place + 1);
    case "page up":
      return choose(place - shown.room);
    case "page down":
      return choose(place + shown.room);
    case "home":
    case "g":
      return choose(0);
    case "end":
    case "G":
      return choose(shown.rows.length - 1);
    case "tab":
      return turn(view, 1);
    case "back tab":
      return turn(view, -1);
    case "enter":
    case "right":
      return enter(view, shown, place);
    case "escape":
    case "left":
      return leave(view);
    case "/":
      return { ...view, isTyping: true };
    case "s":
      return { ...view, sort: nextOf(view.sort, shown.columns) };
    case "r":
      return { ...view, isReversed: !view.isReversed };
    case " ":
      return { ...view, isPaused: !view.isPaused };
    case "b":
      return { ...view, inBits: !view.inBits };
    case "?":
    case "h":
      return { ...view, showsHelp: true };
    case "K": {
      const row = shown.rows[place];
      return row?.isFlow !== true ? view : { ...view, closing: { id: row.key, what: row.what } };
    }
    default:
      return view;
  }
}

function turn(view: View, by: number): View {
  const tab = TABS[(TABS.indexOf(view.tab) + by + TABS.length) % TABS.length];
  return { ...view, tab, within: null, sort: null, isReversed: false, chosen: null };
}

function enter(view: View, { rows }: Shown, place: number): View {
  const row = rows[place];
  if (row === undefined || row.isFlow) return view;
  const within = { tab: view.tab, name: row.key };
  return { ...view, tab: "connections", within, sort: null, isReversed: false, chosen: null };
}

function leave(view: View): View {
  const { within, filter } = view;
  if (within !== null) {
    return { ...view, tab: within.tab, within: null, sort: null, isReversed: false, chosen: within.name };
  }
  return filter === "" ? view : { ...view, filter: "" };
}

function nextOf(sort: string | null, columns: readonly string[]): string | null {
  const place = sort === null ? 0 : columns.indexOf(sort) + 1;
  return columns[place] ?? null;
}
