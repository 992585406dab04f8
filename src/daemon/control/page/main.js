// The page: what is shown, and what keys, buttons and the address change of it.
import { LISTS, Rows } from "./columns.js";
import { Grid } from "./grid.js";
import { closeConnection, Watch } from "./watch.js";
import { setText, showSummary } from "./summary.js";

const byId = (id) => document.getElementById(id);

/** The view. `within`: list and name of whose connections; `sort`: empty is by traffic, calmly. */
let view = { list: "devices", within: null, filter: "", sort: "", isReversed: false, inBits: false };
let closing = null;
const rows = new Rows();

const watch = new Watch(() => show());
const grid = new Grid({
  onOpen: (row) => enter(row),
  onClose: (row) => askToClose(row),
  onSort: (name) => change({ sort: name, isReversed: view.sort === name && !view.isReversed }),
});

/** Shows all anew: something has been seen, or the view is another. */
function show() {
  const { traffic, summary } = watch;
  const shown = rows.of(view, traffic);
  grid.show(shown, view, summary?.now ?? 0);
  showSummary(watch, view.inBits);
  byId("none").hidden = shown.length > 0;
  setText(
    byId("none"),
    summary === null ? "" : view.filter === "" ? "Nothing has been relayed yet." : "Nothing has these words.",
  );
}

function change(to) {
  view = { ...view, ...to };
  for (const button of document.querySelectorAll("nav button")) {
    press(button, button.dataset.list === (view.within?.[0] ?? view.list));
  }
  byId("within").hidden = view.within === null;
  setText(byId("of"), view.within?.[1] ?? "");
  const columns = LISTS[view.list].filter(({ title, name }) => title !== "" && name !== "lately");
  byId("sort").replaceChildren(
    new Option("traffic, calmly", ""),
    ...columns.map(({ name, title }) => new Option(title.toLowerCase(), name)),
  );
  byId("sort").value = view.sort;
  byId("filter").value = view.filter;
  press(byId("reverse"), view.isReversed);
  press(byId("bits"), view.inBits);
  show();
}

function press(button, isPressed) {
  button.setAttribute("aria-pressed", isPressed);
}

/** Goes to a list, or to the connections of a row of one: the browser's way back leads out again. */
function go(list, name) {
  location.hash = name === undefined ? list : `${list}/${encodeURIComponent(name)}`;
}

function goWhereAddressSays() {
  const [list, name] = location.hash.slice(1).split("/");
  const isList = Object.hasOwn(LISTS, list);
  const within = isList && name !== undefined ? [list, decodeURIComponent(name)] : null;
  const before = view.within;
  change({
    list: within !== null ? "connections" : isList ? list : "devices",
    within,
    sort: "",
    isReversed: false,
  });
  if (before !== null && within === null) grid.choose(before[1]);
}

function enter(row) {
  if (row !== undefined && view.list !== "connections") go(view.list, row.name);
}

function leave() {
  if (view.within !== null) go(view.within[0]);
  else change({ filter: "" });
  byId("list").focus();
}

function pause() {
  watch.isPaused = !watch.isPaused;
  press(byId("pause"), watch.isPaused);
  say(watch.isPaused ? "paused" : "");
}

function say(text) {
  setText(byId("notice"), text);
}

function askToClose(row) {
  if (row === undefined || view.list !== "connections" || row.ended !== null) return;
  closing = row.id;
  setText(byId("what"), `${row.device} → ${row.to}`);
  byId("question").showModal();
}

async function close() {
  byId("question").close();
  say(await closeConnection(closing));
}

function sortByNext() {
  const names = [...byId("sort").options].map(({ value }) => value);
  change({ sort: names[(names.indexOf(view.sort) + 1) % names.length] });
}

const LISTED = Object.keys(LISTS);
const KEYS = {
  ArrowUp: () => grid.move(-1),
  ArrowDown: () => grid.move(1),
  PageUp: () => grid.move(-grid.room),
  PageDown: () => grid.move(grid.room),
  Home: () => grid.move(-Infinity),
  End: () => grid.move(Infinity),
  Enter: () => enter(grid.chosen),
  Escape: leave,
  "/": () => byId("filter").focus(),
  s: sortByNext,
  r: () => change({ isReversed: !view.isReversed }),
  b: () => change({ inBits: !view.inBits }),
  p: pause,
  K: () => askToClose(grid.chosen),
  Delete: () => askToClose(grid.chosen),
  1: () => go(LISTED[0]),
  2: () => go(LISTED[1]),
  3: () => go(LISTED[2]),
};

/** Those of fields; all others are theirs. */
const FIELD_KEYS = {
  Enter: () => byId("list").focus(),
  Escape: () => {
    change({ filter: "" });
    byId("list").focus();
  },
};

addEventListener("keydown", (event) => {
  const { key, target, ctrlKey, altKey, metaKey } = event;
  if (ctrlKey || altKey || metaKey || byId("question").open) return;
  const isButton = target.matches("button") && key === "Enter";
  const act = target.matches("input, select") ? FIELD_KEYS[key] : isButton ? undefined : KEYS[key];
  if (act === undefined) return;
  event.preventDefault();
  act();
});
for (const button of document.querySelectorAll("nav button")) {
  button.addEventListener("click", () => go(button.dataset.list));
}
const ON_CLICK = {
  back: leave,
  reverse: KEYS.r,
  bits: KEYS.b,
  pause,
  keep: () => byId("question").close(),
  close,
};
for (const [id, act] of Object.entries(ON_CLICK)) byId(id).addEventListener("click", act);
byId("filter").addEventListener("input", ({ target }) => change({ filter: target.value }));
byId("sort").addEventListener("change", ({ target }) => change({ sort: target.value }));
addEventListener("hashchange", goWhereAddressSays);

goWhereAddressSays();
byId("list").focus();
watch.run();
