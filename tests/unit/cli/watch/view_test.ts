import assert from "node:assert/strict";
import { FIRST_VIEW, obey, type Shown, type View } from "../../../../src/cli/watch/view.ts";

const SHOWN: Shown = {
  rows: ["a", "b", "c"].map((key) => ({ key, what: `row ${key}`, isFlow: false })),
  columns: ["DEVICE", "TOTAL"],
  room: 2,
};
const FLOWS: Shown = { ...SHOWN, rows: SHOWN.rows.map((row) => ({ ...row, isFlow: true })) };

function press(keys: readonly string[], { from = FIRST_VIEW, shown = SHOWN } = {}): View {
  return keys.reduce((view, key) => obey(view, key, shown).view, from);
}

Deno.test("arrows choose a row, and stop at both ends", () => {
  assert.equal(press(["down"]).chosen, "b");
  assert.equal(press(["down", "down", "down", "down"]).chosen, "c");
  assert.equal(press(["down", "up", "up"]).chosen, "a");
  assert.equal(press(["end"]).chosen, "c");
  assert.equal(press(["page down", "home"]).chosen, "a");
  assert.equal(press(["down"], { shown: { ...SHOWN, rows: [] } }).chosen, null);
});

Deno.test("enter leads into a device, escape back to it", () => {
  const inside = press(["down", "enter"]);
  assert.deepEqual([inside.tab, inside.within, inside.chosen], [
    "connections",
    { tab: "devices", name: "b" },
    null,
  ]);
  assert.deepEqual(
    press(["enter"], { from: inside, shown: FLOWS }),
    inside,
    "a connection has nothing inside",
  );
  const back = press(["escape"], { from: inside });
  assert.deepEqual([back.tab, back.within, back.chosen], ["devices", null, "b"]);
});

Deno.test("tab goes round the lists, and forgets what was chosen", () => {
  assert.deepEqual(
    ["tab", "tab", "tab"].map((_, i, keys) => press(keys.slice(0, i + 1)).tab),
    ["connections", "rules", "devices"],
  );
  assert.equal(press(["back tab"]).tab, "rules");
  assert.equal(press(["down", "tab"]).chosen, null);
});

Deno.test("while a filter is typed, keys are its text", () => {
  const typed = press(["/", "q", "K", " ", "x", "backspace", "up"]);
  assert.deepEqual([typed.filter, typed.isTyping, typed.isOver], ["qK ", true, false]);
  assert.equal(press(["enter"], { from: typed }).isTyping, false);
  assert.equal(press(["enter", "escape"], { from: typed }).filter, "");
  assert.equal(press(["escape"], { from: typed }).filter, "");
  assert.equal(press(["ctrl-c"], { from: typed }).isOver, true);
});

Deno.test("s goes through the columns, and back to the calm order", () => {
  assert.deepEqual([1, 2, 3].map((times) => press(Array(times).fill("s")).sort), ["DEVICE", "TOTAL", null]);
});

Deno.test("a connection is closed after a yes alone", () => {
  const asked = obey(press(["down"], { shown: FLOWS }), "K", FLOWS);
  assert.deepEqual([asked.view.closing, asked.close], [{ id: "b", what: "row b" }, undefined]);
  const yes = obey(asked.view, "y", FLOWS);
  assert.deepEqual([yes.close, yes.view.closing], ["b", null]);
  for (const key of ["n", "q", "enter", "escape", "K"]) {
    const no = obey(asked.view, key, FLOWS);
    assert.deepEqual([no.close, no.view.closing, no.view.isOver], [undefined, null, false], key);
  }
  const device = obey(FIRST_VIEW, "K", SHOWN);
  assert.deepEqual(
    [device.view, /enter/.test(device.notice!)],
    [FIRST_VIEW, true],
    "a device is no connection",
  );
});

Deno.test("space, b, r and ? turn over; any key leaves the help; q ends", () => {
  const view = press([" ", "b", "r"]);
  assert.deepEqual([view.isPaused, view.inBits, view.isReversed], [true, true, true]);
  assert.deepEqual(press(["?", "q"]), FIRST_VIEW);
  assert.equal(press(["q"]).isOver, true);
});
