import assert from "node:assert/strict";
import { describeBriefly } from "../../../../../src/daemon/control/connections/brief.ts";
import { describeRow } from "../../../../../src/daemon/control/connections/row.ts";
import { inSlices } from "../../../../../src/daemon/control/connections/slices.ts";
import type { SessionRow } from "../../../../../src/dataplane/shared/books.ts";
import { begin, openBooks } from "../support/books.ts";

const ROWS = 20_000;

const LAPTOP = { name: "laptop", mac: null };

Deno.test("20,000 connections are listed within a second, and others have their turn 80 times at least", async () => {
  await assertQuick((session) => describeRow(session, () => LAPTOP));
});

Deno.test("20,000 connections are told in brief within a second, in a tenth of the bytes", async () => {
  const whole = await assertQuick((session) => describeRow(session, () => LAPTOP));
  const brief = await assertQuick(describeBriefly);
  assert.ok(brief < whole / 10, `${brief} bytes of ${whole}`);
});

/** Lists rows, and returns the bytes of the list. */
async function assertQuick(describe: (session: SessionRow) => object): Promise<number> {
  const { books, tcp } = openBooks(ROWS);
  for (let slot = 0; slot < ROWS; slot++) {
    begin(tcp, {
      slot,
      client: `10.1.${slot >> 8}.${slot & 255}:${1024 + slot}`,
      destination: "203.0.113.9:443",
      name: `host${slot % 500}.example.com`,
      rule: 1,
    });
  }
  function* lines(): Generator<string> {
    for (const session of books.sessions()) yield `${JSON.stringify(describe(session))}\n`;
  }
  const { signal } = new AbortController();
  let best = Infinity;
  let bytes = 0;
  for (let round = 0; round < 5 && best > 1000; round++) { // this machine may have other work
    let turns = 0;
    let timer = setImmediate(function turn() {
      turns++;
      timer = setImmediate(turn);
    });
    const start = performance.now();
    let listed = 0;
    bytes = 0;
    for await (const slice of inSlices(lines(), signal)) {
      const count = slice.split("\n").length - 1;
      assert.ok(count <= 256);
      listed += count;
      bytes += slice.length;
    }
    best = Math.min(best, performance.now() - start);
    clearImmediate(timer);
    assert.equal(listed, ROWS);
    assert.ok(turns >= ROWS / 256, `${turns} turns`);
  }
  assert.ok(best <= 1000, `${best} ms`);
  return bytes;
}

Deno.test("a list that nobody reads on ends", async () => {
  const gone = new AbortController();
  let made = 0;
  function* lines(): Generator<string> {
    for (;;) yield `${made++}\n`;
  }
  for await (const _ of inSlices(lines(), gone.signal)) gone.abort();
  assert.ok(made <= 256);
});
