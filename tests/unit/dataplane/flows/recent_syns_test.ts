/** SYNs of connections that were accepted a moment ago. */
import assert from "node:assert/strict";
import { KEY_WORDS } from "../../../../src/dataplane/flows/flow_places.ts";
import { RecentSyns } from "../../../../src/dataplane/flows/recent_syns.ts";

const key = (port: number) => new Int32Array(KEY_WORDS).fill(7).fill(port, 0, 1);

Deno.test("RecentSyns knows the SYN of a flow by its sequence number, for a while", () => {
  const recent = new RecentSyns(100);
  assert.ok(!recent.has(key(1), 0, 0), "there is none at first");
  recent.add(key(1), -5, 1000);
  assert.ok(recent.has(key(1), -5, 1000));
  assert.ok(recent.has(key(1), -5, 1100));
  assert.ok(!recent.has(key(1), -5, 1101), "the time is over");
  assert.ok(!recent.has(key(1), 5, 1001), "another connection from the same port");
  assert.ok(!recent.has(key(2), -5, 1001), "another flow");
});

Deno.test("RecentSyns remembers the newest of very many", () => {
  const recent = new RecentSyns(100);
  for (let port = 0; port < 50_000; port++) recent.add(key(port), port, 10);
  let known = 0;
  for (let port = 0; port < 50_000; port++) if (recent.has(key(port), port, 11)) known++;
  assert.ok(known > 3500 && known <= 4096, `${known}`);
  assert.ok(recent.has(key(49_999), 49_999, 11));
});
