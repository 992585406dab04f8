import assert from "node:assert/strict";
import { divide, type Failure } from "../../../../scripts/lib/soak/windows.ts";

const KILL = [{ name: "kill -9", begin: 10_000, end: 12_000, excuses: true }];
const RELOAD = [{ name: "good reload", begin: 10_000, end: 12_000, excuses: false }];

function failure(begin: number, end: number, more: Partial<Failure> = {}): Failure {
  return { begin, end, wrong: false, what: "download 7000", peer: "40000", why: "it ended", ...more };
}

Deno.test("divide() excuses flows that lived in a window, and what their other end saw of them", () => {
  const client = failure(11_500, 12_600);
  const server = failure(12_300, 12_500, { what: "server-0 7000" });
  assert.deepEqual(divide([client, server], KILL).failed, []);
  assert.deepEqual(divide([client, server], RELOAD).failed, [client, server]);
  assert.deepEqual(divide([server], KILL).failed, [server], "no client was cut");
  for (const other of [{ peer: "40001" }, { what: "server-0 7001" }, { what: "download 7000" }]) {
    const stranger = { ...server, ...other };
    assert.deepEqual(divide([client, stranger], KILL).failed, [stranger], JSON.stringify(other));
  }
  const later = failure(20_000, 20_001, { what: "server-0 7000" });
  assert.deepEqual(divide([client, later], KILL).failed, [later], "the port is another flow's by now");
});

Deno.test("divide() excuses no wrong byte", () => {
  const wrong = failure(11_000, 11_500, { wrong: true });
  const { excused, failed, wrong: found } = divide([wrong], KILL);
  assert.deepEqual([excused, failed, found], [[], [], [wrong]]);
});
