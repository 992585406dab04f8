import assert from "node:assert/strict";
import {
  describeBriefly,
  isSettled,
  readSettled,
} from "../../../../../src/daemon/control/connections/brief.ts";
import { bytesUp } from "../../../../../src/dataplane/shared/ledger.ts";
import { DIALLING, HALF_CLOSED, OPEN } from "../../../../../src/dataplane/tcp/stage_numbers.ts";
import { begin, openBooks } from "../support/books.ts";

Deno.test("a row in brief has its name and its bytes", () => {
  const { books, tcp } = openBooks(8);
  begin(tcp, { slot: 3, client: "192.168.1.23:50123", destination: "203.0.113.9:443", name: "a.example" });
  tcp.bytes[bytesUp(3)] += 7;
  assert.deepEqual([...books.sessions()].map(describeBriefly), [["t0.3.4", 7, 0]]);
});

Deno.test("settled is what is open, and has been there for long enough", () => {
  const row = { protocol: "tcp", stage: OPEN, started: 1000 } as const;
  assert.equal(isSettled(row, 16_000, 15_000), true);
  assert.equal(isSettled(row, 15_999, 15_000), false);
  for (const stage of [DIALLING, HALF_CLOSED]) assert.equal(isSettled({ ...row, stage }, 1e6, 15_000), false);
  assert.equal(isSettled({ ...row, protocol: "udp", stage: DIALLING }, 16_000, 15_000), true);
  assert.equal(isSettled(row, 1e15, readSettled(null)), false);
});

Deno.test("the time is a number of milliseconds, or it is never", () => {
  assert.deepEqual(["0", "15000", "9999999"].map(readSettled), [0, 15_000, 9_999_999]);
  for (const text of ["", "-1", "1e3", " 1", "99999999", "NaN", "0x10"]) {
    assert.equal(readSettled(text), Infinity, text);
  }
});
