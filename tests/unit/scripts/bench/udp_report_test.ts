import assert from "node:assert/strict";
import { checkPath, parseForwarded } from "../../../../scripts/lib/bench/udp/path.ts";
import { combine, parseReport } from "../../../../scripts/lib/bench/udp/report.ts";

const RECEIVED = { received: 900, duplicates: 100, reordered: 3, malformed: 0, dropped: 50, seconds: 2 };

Deno.test("parseReport() reads what the load generator prints", () => {
  assert.deepEqual(parseReport("send", '{"sent":1000,"seconds":2.5}\n'), { sent: 1000, seconds: 2.5 });
  assert.throws(() => parseReport("send", '{"sent":1000}'), /seconds is missing/);
  assert.throws(() => parseReport("ping", ""), /exchanges, lost, seconds, median, p99 is missing: ""/);
});

Deno.test("combine() counts each datagram once, in the receiver's time", () => {
  assert.deepEqual(combine({ sent: 1000, seconds: 2.5 }, RECEIVED), {
    offered: 400,
    delivered: 400,
    count: 800,
    loss: 100 * (1 - 0.8),
    duplicates: 100,
    reordered: 3,
    receiverLoss: 5,
  });
  const one = { ...RECEIVED, received: 1, duplicates: 0, seconds: 0 };
  assert.equal(combine({ sent: 1000, seconds: 2.5 }, one).delivered, 0);
});

Deno.test("combine() refuses what nobody sent", () => {
  const sent = { sent: 700, seconds: 2.5 };
  assert.throws(() => combine(sent, RECEIVED), /not what was sent/);
  const malformed = { ...RECEIVED, received: 1, duplicates: 0, malformed: 1 };
  assert.throws(() => combine(sent, malformed), /not what was sent/);
});

Deno.test("parseForwarded() finds the counter by its name", () => {
  const text =
    "Ip: Forwarding DefaultTTL ForwDatagrams InDelivers\nIp: 1 64 4711 815\nIcmp: InMsgs\nIcmp: 0\n";
  assert.equal(parseForwarded(text), 4711);
  assert.throws(() => parseForwarded("Icmp: InMsgs\nIcmp: 0\n"), /Cannot find ForwDatagrams/);
});

Deno.test("checkPath() tells a proxy from a router that forwards", () => {
  checkPath({ delivered: 1000, forwarded: 10, isProxy: true });
  checkPath({ delivered: 1000, forwarded: 1000, isProxy: false });
  assert.throws(() => checkPath({ delivered: 1000, forwarded: 11, isProxy: true }), /past the proxy/);
  assert.throws(() => checkPath({ delivered: 1000, forwarded: 999, isProxy: false }), /forwarded only 999/);
});
