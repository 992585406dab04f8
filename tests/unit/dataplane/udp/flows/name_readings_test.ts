import assert from "node:assert/strict";
import { Clock } from "../../../../../src/dataplane/loop/clock.ts";
import { MOST_READINGS, NameReadings } from "../../../../../src/dataplane/udp/flows/name_readings.ts";
import { MORE, NAME, NONE } from "../../../../../src/sniff/found.ts";
import { expectedName, join, recorded, recordingsOf, textOf } from "../../../sniff/recordings.ts";
import { arrivalOf } from "./arrivals.ts";

const ORIGIN = { inputInterface: 1, hardwareHigh: 2, hardwareLow: 3 };

function makeReadings() {
  const clock = new Clock();
  return { clock, readings: new NameReadings(clock) };
}

/** Reads datagrams as those of one flow; the last answer. */
function readAll(readings: NameReadings, flow: number, datagrams: readonly Uint8Array[]): number {
  const reading = readings.begin(flow, arrivalOf(datagrams[0]), ORIGIN)!;
  let result = readings.read(reading);
  for (const datagram of datagrams.slice(1)) {
    if (result !== MORE) break;
    result = readings.take(reading, arrivalOf(datagram));
  }
  return result;
}

Deno.test("NameReadings finds the names of real clients, one flow after another", () => {
  const { readings } = makeReadings();
  for (const [flow, recording] of recordingsOf("quic").entries()) {
    const name = expectedName(recording);
    assert.equal(readAll(readings, flow, recorded(recording)), name === "" ? NONE : NAME, recording);
    assert.equal(textOf(readings.found), name);
    readings.end(readings.of(flow)!);
  }
});

Deno.test("NameReadings reads datagrams that the kernel has joined", () => {
  const { readings } = makeReadings();
  const [first, second] = recorded("quic-chromium");
  assert.equal(first.length, second.length);
  const reading = readings.begin(1, arrivalOf(join(first, second), first.length), ORIGIN)!;
  assert.equal(readings.read(reading), NAME);
  assert.equal(textOf(readings.found), "recorded.example");
});

Deno.test("NameReadings gives up where no more may wait, and after a second", () => {
  const { clock, readings } = makeReadings();
  const [first] = recorded("quic-chromium");
  const reading = readings.begin(1, arrivalOf(first), ORIGIN)!;
  assert.equal(readings.read(reading), MORE);
  for (let i = 1; i < 16; i++) readings.take(reading, arrivalOf(first));
  assert.equal(readings.take(reading, arrivalOf(first)), NONE);
  assert.equal(readings.found.length, 0);
  readings.begin(2, arrivalOf(first), ORIGIN);
  const late: number[] = [];
  const expire = () => readings.expire(({ flow }) => void late.push(flow));
  expire();
  assert.ok(readings.timeout() > 800 && readings.timeout() <= 1000);
  clock.tick = 9;
  expire();
  assert.deepEqual(late, []);
  clock.tick = 10;
  // Its name was found in the end.
  reading.end = { rule: 3, blocking: null, route: 0, name: new Uint8Array() };
  expire();
  assert.deepEqual(late, [2]);
  readings.end(reading);
  assert.equal(readings.of(1), undefined);
  assert.ok(readings.bytes > 0, "the queue is the caller's");
});

Deno.test("NameReadings has the client with most make room for another", () => {
  const { readings } = makeReadings();
  const [first] = recorded("quic-chromium"); // one of two
  const begin = (flow: number, client: string) => readings.begin(flow, arrivalOf(first, 0, client), ORIGIN);
  for (let flow = 0; flow < MOST_READINGS; flow++) {
    assert.equal(readings.victim(), undefined);
    const reading = begin(flow, flow === 0 ? "10.0.0.8:1" : `10.0.0.9:${flow}`)!;
    assert.equal(readings.read(reading), MORE);
  }
  assert.equal(begin(1000, "10.0.0.7:1"), undefined);
  const victim = readings.victim()!;
  assert.equal(victim.flow, 1, "the oldest of the client with most, and not the oldest of all");
  readings.end(victim);
  victim.queue.clear();
  assert.ok(begin(1000, "10.0.0.7:1"));
  readings.of(2)!.end = { rule: 0, blocking: null, route: 0, name: new Uint8Array() };
  assert.equal(readings.victim(), undefined, "it goes on at the end of this turn");
});

Deno.test("NameReadings bounds what waits: no flood of first datagrams takes more", () => {
  const { readings } = makeReadings();
  const [first] = recorded("quic-chromium");
  for (let flow = 0; flow < 2 * MOST_READINGS; flow++) {
    const reading = readings.begin(flow, arrivalOf(first), ORIGIN);
    for (let i = 0; reading !== undefined && i < 40; i++) reading.queue.add(arrivalOf(first));
  }
  assert.ok(readings.bytes > 2_000_000 && readings.bytes <= MOST_READINGS * 24 * 1024, `${readings.bytes}`);
});
