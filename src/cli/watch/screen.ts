/**
 * The live screen: a look each second, a key whenever there is one.
 * @module
 */
import type { WatchedFlow } from "./flow.ts";
import { draw, roomOf, type Summary } from "./draw.ts";
import { columnsOf, type List, listOf, newOrders, wordRow } from "./rows.ts";
import { Terminal } from "./terminal.ts";
import { Traffic } from "./traffic.ts";
import { FIRST_VIEW, obey, type View } from "./view.ts";

/** Milliseconds between two looks. */
const LOOK_MS = 1000;

/** The proxy that is looked at. */
export interface Watched {
  /** Looks; undefined: it does not answer. */
  look(): Promise<{ readonly summary: Summary; readonly flows: readonly WatchedFlow[] } | undefined>;
  /** Closes a connection. Returns how that ended, in words. */
  close(id: string): Promise<string>;
}

/** Shows it until somebody leaves. Returns when the terminal is given back. */
export async function watch(watched: Watched, inColor: boolean): Promise<void> {
  const over = Promise.withResolvers<void>();
  const screen = new Screen(watched, inColor, () => over.resolve());
  try {
    await over.promise;
  } finally {
    screen.end();
  }
}

class Screen {
  readonly #watched: Watched;
  readonly #inColor: boolean;
  readonly #leave: () => void;
  readonly #terminal: Terminal;
  readonly #traffic = new Traffic();
  readonly #orders = newOrders();
  readonly #timer: ReturnType<typeof setInterval>;
  #view: View = FIRST_VIEW;
  #list: List = { kind: "groups", tab: "devices", rows: [] };
  #summary: Summary | null = null;
  #notice = "";
  #looking = false;

  constructor(watched: Watched, inColor: boolean, leave: () => void) {
    this.#watched = watched;
    this.#inColor = inColor;
    this.#leave = leave;
    this.#terminal = new Terminal({ onKey: (key) => this.#obey(key), onSize: () => this.#draw() });
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#look();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#terminal.end();
  }

  async #look(): Promise<void> {
    if (this.#looking || this.#view.isPaused) return;
    this.#looking = true;
    try {
      const seen = await this.#watched.look();
      if (seen === undefined) this.#lose("no proxy answers");
      else {
        this.#summary = seen.summary;
        this.#traffic.look(seen.flows, Date.now());
        this.#arrange();
      }
    } catch (error) {
      this.#lose(error instanceof Error ? error.message : String(error));
    } finally {
      this.#looking = false;
    }
    this.#draw();
  }

  /** The last that was seen stays; a proxy may be on its way back. */
  #lose(reason: string): void {
    if (this.#summary !== null) this.#summary = { ...this.#summary, phase: reason };
    else this.#notice = reason;
  }

  #arrange(): void {
    this.#list = listOf(this.#view, this.#traffic, this.#orders);
  }

  #obey(key: string): void {
    const before = this.#view;
    const rows = this.#list.rows.map(({ key }) => ({
      key,
      what: wordRow(this.#list, key),
      isFlow: this.#list.kind === "flows",
    }));
    const columns = columnsOf(before).map(({ title }) => title);
    if (key === "ctrl-l") this.#terminal.clear();
    const { view, close, notice = "" } = obey(before, key, {
      rows,
      columns,
      room: roomOf(this.#terminal.size),
    });
    this.#view = view;
    this.#notice = notice;
    if (view.isOver) return this.#leave();
    if (close !== undefined) this.#close(close);
    const isOther = view.tab !== before.tab || view.within !== before.within ||
      view.filter !== before.filter ||
      view.sort !== before.sort || view.isReversed !== before.isReversed;
    if (isOther) this.#arrange();
    this.#draw();
  }

  async #close(id: string): Promise<void> {
    this.#notice = await this.#watched.close(id).catch((error) => String(error));
    this.#draw();
  }

  #draw(): void {
    const live = this.#traffic.flows();
    const sum = (of: (flow: typeof live[number]) => number) => live.reduce((all, flow) => all + of(flow), 0);
    this.#terminal.show(draw(
      {
        view: this.#view,
        list: this.#list,
        summary: this.#summary,
        down: sum(({ down }) => down),
        up: sum(({ up }) => up),
        now: Date.now(),
        notice: this.#notice,
      },
      this.#terminal.size,
      this.#inColor,
    ));
  }
}
