// The list on the screen: rows that are in sight alone, and each goes on being the same element.
import { keyOf, LISTS } from "./columns.js";
import { drawLine, setText } from "./summary.js";

/** Rows that are drawn beyond what is in sight. */
const BEYOND = 6;

/** The list. */
export class Grid {
  #list = document.getElementById("list");
  #titles = document.getElementById("titles");
  #rows = document.getElementById("rows");
  /** Rows in order. */
  #shown = [];
  /** What is on the screen, by key. */
  #drawn = new Map();
  #view = null;
  #now = 0;
  #chosen = null;
  #count = 0;
  #onSort;

  /** `onOpen`, `onClose`: a row is clicked, or its button; `onSort`: the title of a column. */
  constructor({ onOpen, onClose, onSort }) {
    this.#onSort = onSort;
    this.#list.addEventListener("scroll", () => this.#draw());
    addEventListener("resize", () => this.#draw());
    this.#rows.addEventListener("click", ({ target }) => {
      const element = target.closest(".row");
      const found = this.#shown.find((row) => this.#drawn.get(keyOf(row))?.element === element);
      if (found === undefined) return;
      this.#chosen = keyOf(found);
      this.#draw();
      if (target.closest("button") !== null) onClose(found);
      else onOpen(found);
    });
  }

  /** The row that is chosen; the first, if none is. */
  get chosen() {
    return this.#shown[this.#place()];
  }

  /** Shows rows. `now`: the proxy's time. */
  show(rows, view, now) {
    this.#shown = rows;
    this.#now = now;
    if (this.#view?.list !== view.list || this.#view.within !== view.within) this.#begin(view);
    this.#view = view;
    this.#drawTitles();
    this.#draw();
  }

  /** Chooses a row by its key. */
  choose(key) {
    this.#chosen = key;
    this.#reveal();
  }

  /** Moves on by so many rows. */
  move(by) {
    const place = Math.min(Math.max(this.#place() + by, 0), this.#shown.length - 1);
    if (place >= 0) this.choose(keyOf(this.#shown[place]));
  }

  /** Rows that are in sight. */
  get room() {
    return Math.max(1, Math.floor(this.#list.clientHeight / this.#height()) - 1);
  }

  #place() {
    return Math.max(0, this.#shown.findIndex((row) => keyOf(row) === this.#chosen));
  }

  #height() {
    return parseFloat(getComputedStyle(this.#list).getPropertyValue("--row"));
  }

  #begin({ list, within }) {
    this.#list.dataset.list = list;
    this.#list.setAttribute("aria-label", within === null ? list : `connections of ${within[1]}`);
    this.#list.setAttribute("aria-colcount", LISTS[list].length);
    this.#list.scrollTop = 0;
    this.#chosen = null;
    this.#drawn.clear();
    this.#rows.replaceChildren();
    this.#titles.replaceChildren(...LISTS[list].map(({ name, title }) => {
      const cell = newElement("span", { role: "columnheader", className: `cell ${name}` });
      if (title !== "") {
        const button = newElement("button", { type: "button", textContent: title, tabIndex: -1 });
        button.addEventListener("click", () => this.#onSort(name));
        cell.append(button);
      }
      return cell;
    }));
  }

  #drawTitles() {
    const { list, sort, isReversed } = this.#view;
    for (const [i, { name }] of LISTS[list].entries()) {
      const order = name !== sort ? "none" : isReversed ? "ascending" : "descending";
      this.#titles.children[i].setAttribute("aria-sort", order);
    }
  }

  #reveal() {
    const height = this.#height();
    const top = this.#place() * height;
    const inSight = this.#list.clientHeight - this.#rows.offsetTop;
    if (top < this.#list.scrollTop) this.#list.scrollTop = top;
    else if (top + height > this.#list.scrollTop + inSight) this.#list.scrollTop = top + height - inSight;
    this.#draw();
  }

  #draw() {
    const height = this.#height();
    const { scrollTop, clientHeight } = this.#list;
    const first = Math.max(0, Math.floor(scrollTop / height) - BEYOND);
    const last = Math.min(this.#shown.length, Math.ceil((scrollTop + clientHeight) / height) + BEYOND);
    this.#rows.style.height = `${this.#shown.length * height}px`;
    this.#list.setAttribute("aria-rowcount", this.#shown.length + 1);
    const chosen = this.#place();
    const left = new Map(this.#drawn);
    for (let place = first; place < last; place++) {
      const key = keyOf(this.#shown[place]);
      left.delete(key);
      this.#drawRow(key, place, { height, isChosen: place === chosen });
    }
    for (const [key, { element }] of left) {
      element.remove();
      this.#drawn.delete(key);
    }
    const element = this.#drawn.get(keyOf(this.#shown[chosen] ?? {}))?.element;
    this.#list.setAttribute("aria-activedescendant", element?.id ?? "");
  }

  #drawRow(key, place, { height, isChosen }) {
    const row = this.#shown[place];
    let drawn = this.#drawn.get(key);
    if (drawn === undefined) this.#drawn.set(key, drawn = this.#newRow());
    const { element, cells, line } = drawn;
    element.style.transform = `translateY(${place * height}px)`;
    element.setAttribute("aria-rowindex", place + 2);
    element.setAttribute("aria-selected", isChosen);
    element.classList.toggle("ended", row.ended > 0);
    const wording = { inBits: this.#view.inBits, now: this.#now };
    for (const [i, { name, text }] of LISTS[this.#view.list].entries()) {
      if (name === "lately") drawLine(line, row.history);
      else if (name === "close") cells[i].firstChild.hidden = row.ended !== null;
      else {
        setText(cells[i], text(row, wording));
        // What is cut off can be read all the same.
        if (name === "to" || name === "name") cells[i].title = cells[i].textContent;
      }
    }
  }

  #newRow() {
    const element = newElement("div", { role: "row", className: "row", id: `row-${this.#count++}` });
    let line;
    const cells = LISTS[this.#view.list].map(({ name }) => {
      const cell = newElement("span", { role: "gridcell", className: `cell ${name}` });
      if (name === "lately") cell.append(line = drawing());
      if (name === "close") cell.append(closeButton());
      return cell;
    });
    element.append(...cells);
    this.#rows.append(element);
    return { element, cells, line: line?.firstElementChild };
  }
}

function closeButton() {
  return newElement("button", {
    type: "button",
    tabIndex: -1,
    textContent: "×",
    ariaLabel: "Close this connection",
  });
}

/** A small picture of the last minute, as the one of the whole proxy. */
function drawing() {
  return document.querySelector("#load svg").cloneNode(true);
}

function newElement(name, properties) {
  return Object.assign(document.createElement(name), properties);
}
