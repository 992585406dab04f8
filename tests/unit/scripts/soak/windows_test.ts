import assert from "node:assert/strict";
import { divide, type Failure } from "../../../../scripts/lib/soak/windows.ts";

const KILL = [{ name: "kill -9", begin: 10_000, end: 12_000, excuses: true }];
const RELOAD = [{ name: "good reload", begin: 10_000, end: 12_000, excuses: false }];

function failure(begin: number, end: number, more: Partial<Failure> = {}): Failure {
  return {
    begin,
    end,
    wrong: false,
    what: "download 7000",
    peer: "40000",
    id: "f10",
    why: "it ended",
    ...more,
  };
}

Deno.test("divide() excuses flows that lived in a window, and what their other end saw of them", () => {
  const client = failure(11_500, 12_600);
  // It sees another port where NAT or an upstream is in between; and it may see the flow as late as it likes.
  const server = failure(12_300, 12_500, { what: "server-0 7000", peer: "1024" });
  const late = failure(20_000, 20_001, { what: "server-0 7000", peer: "1024" });
  assert.deepEqual(divide([client, server, late], KILL).failed, []);
  assert.deepEqual(divide([client, server], RELOAD).failed, [client, server]);
  assert.deepEqual(divide([server], KILL).failed, [server], "no client was cut");
  for (const other of [{ id: "f11" }, { id: undefined }]) {
    const stranger = { ...server, peer: client.peer, ...other };
    assert.deepEqual(divide([client, stranger], KILL).failed, [stranger], JSON.stringify(other));
  }
  const nobody = { ...client, id: undefined };
  assert.deepEqual(
    divide([nobody, { ...server, id: undefined }], KILL).failed.length,
    1,
    "no flow is no number",
  );
});

Deno.test("divide() excuses no wrong byte", () => {
  const wrong = failure(11_000, 11_500, { wrong: true });
  const { excused, failed, wrong: found } = divide([wrong], KILL);
  assert.deepEqual([excused, failed, found], [[], [], [wrong]]);
});
